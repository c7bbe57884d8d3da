/* Moving the timeline's handles: by mouse, pen or finger, and by the arrow keys (a tick at a time, ten by Page Up and
 * Page Down). Times snap to the drill's tick, save with Shift. */
(() => {
  "use strict";

  const { documents, timelineBoard } = window.tftDash;
  const { board, clamp, round, length } = timelineBoard;
  const VALUE_STEP = 0.05;

  /** Where a slider goes, held to its bounds and, unless it is free, to the tick. */
  function settled(facts, wanted, isFree) {
    if (facts.upright) return clamp(Math.round(wanted / (isFree ? 0.01 : VALUE_STEP)) * (isFree ? 0.01 : VALUE_STEP), facts.low, facts.high);
    const step = documents.tick(board.draft);
    return clamp(isFree ? wanted : Math.round(wanted / step) * step, facts.low, Math.max(facts.high, facts.low));
  }

  function moveTo(facts, wanted, isFree, write = facts.write) {
    const to = write === facts.write ? round(settled(facts, wanted, isFree)) : round(wanted);
    board.hands.move((document_) => write(document_, to), facts.paths);
  }

  function onDown(event) {
    const node = event.target.closest(".tl-handle");
    if (!node || event.button > 0) return;
    event.preventDefault();
    node.focus({ preventScroll: true });
    node.setPointerCapture(event.pointerId);
    const room = node.parentNode.getBoundingClientRect();
    const { facts } = node;
    board.keyed = null;
    board.drag = { node, id: event.pointerId, x: event.clientX, y: event.clientY, room, now: facts.now, side: facts.sideways?.now, isMoved: false, start: documents.copy(board.draft) };
    if (facts.isEnd) board.drag.length = documents.whole(board.draft);
    node.classList.add("tl-dragged");
  }

  function onMove(event) {
    const { drag } = board;
    if (!drag || event.pointerId !== drag.id) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.isMoved && Math.hypot(dx, dy) < 3) return;
    if (!drag.isMoved) board.hands.take();
    drag.isMoved = true;
    const { facts } = drag.node;
    if (!drag.node.isConnected) return;
    drag.isNewShape = drag.isNewShape || facts.isNewShape;
    if (facts.upright) moveTo(facts, drag.now - dy / (facts.reach ?? drag.room.height), event.shiftKey);
    else moveTo(facts, drag.now + (dx / drag.room.width) * length(), event.shiftKey);
    if (facts.sideways) sideways(facts, drag.side + ((dx / drag.room.width) * length()) / facts.sideways.span);
  }

  function sideways(facts, wanted) {
    const { low, high, write } = facts.sideways;
    moveTo(facts, Math.round(clamp(wanted, low, high) * 100) / 100, true, write);
  }

  function onUp(event) {
    if (!board.drag || event.pointerId !== board.drag.id) return;
    const { node, isMoved, isNewShape, length: frozen } = board.drag;
    board.drag = null;
    node.classList.remove("tl-dragged");
    if (isMoved && frozen) window.tftDash.timeline.draw(board.place, board.draft, board.hands);
    if (isMoved) board.hands.drop(Boolean(isNewShape));
  }

  // ---------------------------------------------------------------- keys

  const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };

  function onKey(event) {
    const node = event.target.closest?.(".tl-handle");
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    const { facts } = node;
    const by = KEYS[event.key];
    const isEnd = event.key === "Home" || (event.key === "End" && !facts.isEnd);
    if (!by && !isEnd) return;
    event.preventDefault();
    board.hands.take();
    const aside = facts.sideways && ["ArrowLeft", "ArrowRight"].includes(event.key);
    const { isNewShape } = facts;
    if (aside) sideways(facts, facts.sideways.now + by * 0.01);
    else if (isEnd) moveTo(facts, event.key === "Home" ? facts.low : facts.high, true);
    else if (facts.upright) moveTo(facts, facts.now + (Math.abs(by) > 1 ? Math.sign(by) * 0.25 : by * (event.shiftKey ? 0.01 : VALUE_STEP)), true);
    else moveInTime(facts, facts.now + by * documents.tick(board.draft), event.shiftKey);
    board.hands.drop(Boolean(isNewShape));
  }

  function moveInTime(facts, wanted, isFree) {
    const now = JSON.stringify(board.draft);
    if (facts.isEnd && (!board.keyed || board.keyed.last !== now)) board.keyed = { start: documents.copy(board.draft) };
    moveTo(facts, wanted, isFree);
    if (facts.isEnd) board.keyed.last = JSON.stringify(board.draft);
  }

  function onClick(event) {
    const { place, hands, draft } = board;
    const block = event.target.closest?.("[data-open]");
    if (block && place && place.contains(block) && hands) hands.open(block.dataset.open, documents.isExplicit(draft));
  }

  document.addEventListener("pointerdown", onDown);
  document.addEventListener("pointermove", onMove);
  document.addEventListener("pointerup", onUp);
  document.addEventListener("pointercancel", onUp);
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick);
})();
