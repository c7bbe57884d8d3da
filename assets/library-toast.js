/* What the library of scenarios says of what was done, at the foot of its window, with the way back.
 *
 * window.tftDash.libraryToast
 *   tell(words, {undo, href, isFault})   undo: {act, key} of a button; href: of a link; a fault stays until it is dismissed
 *   take(words)                          takes away the message of these words, if it is there */
(() => {
  "use strict";

  const { make, button } = window.tftDash.libraryCards;
  const SHOWN_MS = 10000; // so long a message stays, and longer while it is pointed at

  let clock = null;

  const place = () => document.getElementById("scenarios-toast");

  function hide(box) {
    if (box.matches(":hover, :focus-within")) clock = window.setTimeout(() => hide(box), SHOWN_MS / 5);
    else box.remove();
  }

  function tell(words, { undo, href, isFault } = {}) {
    const box = make("div", "toast-box", make("span", "", words));
    box.classList.toggle("toast-fault", Boolean(isFault));
    if (undo) {
      const back = button(undo.act, "Undo");
      back.dataset.key = undo.key;
      back.title = "Undo (Ctrl+Z)";
      box.append(back);
    }
    if (href) box.append(Object.assign(make("a", "text-button", "Open"), { href }));
    if (isFault) box.append(button("dismiss", "Dismiss"));
    place()?.replaceChildren(box);
    window.clearTimeout(clock);
    if (!isFault) clock = window.setTimeout(() => hide(box), SHOWN_MS);
  }

  function take(words) {
    const box = place()?.querySelector(".toast-fault");
    if (box?.firstChild.textContent === words) box.remove();
  }

  window.tftDash.libraryToast = { tell, take };
})();
