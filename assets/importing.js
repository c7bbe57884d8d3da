/* The import step in the browser: numbers its questions, and shows no answer but the one to the last question.
 *
 * Rows take longer to answer than mistakes, and requests may reach the server in any order: the number says which
 * question was asked last. */
(() => {
  "use strict";

  const { clientside } = window.tftDash;
  const skip = () => window.dash_clientside.no_update;
  let asked = 0;

  /** Clientside callback: a field has changed; a later page's numbers are higher, a reload's too. */
  function importAsk(values) {
    if (!values.length) return skip();
    asked = Math.max(asked + 1, Date.now());
    return asked;
  }

  /** Clientside callback: what the form's mapping makes of the file, each mistake to its own field. */
  function importLand(answer, fields) {
    const outputs = window.dash_clientside.callback_context.outputs_list;
    if (!answer || answer.number !== asked) return outputs.map((each) => (Array.isArray(each) ? each.map(skip) : skip()));
    const beside = fields.map((field) => answer.beside[field.path] || "");
    const before = answer.before === null ? skip() : answer.before;
    return [answer.text, before, answer.after, answer.problems, answer.disabled, beside];
  }

  clientside({ importAsk, importLand });
})();
