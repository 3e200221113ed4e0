// Mouse, pen and fingers on the map: drag, wheel, pinch, hover, click.

const CLICK = 4; // pixels that a click may wander
const REST = 200; // milliseconds without a turn of the wheel until the map rests
const pressed = new Map(); // pointers that are down: where each is
let travelled = 0; // pixels since the first went down
let resting = 0;

function placeOf(event) {
  const box = plot.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function setMoving(on) {
  clearTimeout(resting);
  if (moving === on) return;
  moving = on;
  plot.classList.toggle('grabbed', on && pressed.size > 0);
  if (on) hideTip();
  else repaint();
}

// The middle of the pointers that are down, and how far they lie from it.
function grip() {
  const places = [...pressed.values()];
  const middle = [0, 1].map((axis) => places.reduce((sum, place) => sum + place[axis], 0) / places.length);
  const spread = places.reduce((sum, [px, py]) => sum + Math.hypot(px - middle[0], py - middle[1]), 0) / places.length;
  return { middle, spread };
}

function drag(event) {
  const before = grip();
  pressed.set(event.pointerId, placeOf(event));
  const after = grip();
  const [dx, dy] = [after.middle[0] - before.middle[0], after.middle[1] - before.middle[1]];
  travelled += Math.hypot(dx, dy) + Math.abs(after.spread - before.spread);
  if (travelled < CLICK) return;
  setMoving(true);
  look({ x: view.x - dx * view.unit, y: view.y + dy * view.unit });
  if (before.spread > 0 && after.spread > 0) zoomBy(after.spread / before.spread, ...after.middle);
}

function hover(event) {
  const node = pick(...placeOf(event));
  if (node < 0) hideTip();
  else if (tip.hidden || node !== state.hover) {
    showTip(node);
    point(node);
  }
}

function release(event) {
  if (!pressed.delete(event.pointerId) || pressed.size) return;
  setMoving(false);
  if (event.type !== 'pointerup' || travelled >= CLICK) return;
  const node = pick(...placeOf(event));
  if (node >= 0) choose(node);
}

// A notch of a mouse's wheel zooms by about a fifth; two fingers on a touchpad send small steps, a pinch smaller ones.
function turnWheel(event) {
  event.preventDefault();
  const unit = [1, 33, 400][event.deltaMode];
  setMoving(true);
  zoomBy(Math.exp(-Math.min(Math.max(event.deltaY * unit, -200), 200) * (event.ctrlKey ? 0.01 : 0.002)), ...placeOf(event));
  resting = setTimeout(setMoving, REST, false);
}

function listenToPointers() {
  plot.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    if (!pressed.size) travelled = 0;
    pressed.set(event.pointerId, placeOf(event));
  });
  // Beyond the map, too: a drag goes on there.
  window.addEventListener('pointermove', (event) => {
    if (pressed.has(event.pointerId)) drag(event);
    else if (event.target === canvas && event.pointerType !== 'touch') hover(event);
  });
  window.addEventListener('pointerup', release);
  window.addEventListener('pointercancel', release);
  plot.addEventListener('pointerleave', () => pressed.size || hideTip());
  // Zooming goes on while the lasso is out.
  for (const target of [plot, overlay]) target.addEventListener('wheel', turnWheel, { passive: false });
}
