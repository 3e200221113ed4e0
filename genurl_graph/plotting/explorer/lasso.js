// Select points by drawing around them.

function setLasso(on) {
  overlay.classList.toggle('drawing', on);
  find('lasso').setAttribute('aria-pressed', String(on));
  find('move').setAttribute('aria-pressed', String(!on));
  outline = [];
  drawOverlay();
}

const isLasso = () => overlay.classList.contains('drawing');

overlay.addEventListener('pointerdown', (event) => {
  if (event.button !== 0) return;
  overlay.setPointerCapture(event.pointerId);
  outline = [[event.offsetX, event.offsetY]];
});

overlay.addEventListener('pointermove', (event) => {
  if (!overlay.hasPointerCapture(event.pointerId)) return;
  const [lastX, lastY] = outline[outline.length - 1];
  if (Math.hypot(event.offsetX - lastX, event.offsetY - lastY) < 3) return;
  outline.push([event.offsetX, event.offsetY]);
  drawOverlay();
});

overlay.addEventListener('pointerup', (event) => {
  const corners = outline.map(([px, py]) => toData(px, py));
  outline = [];
  drawOverlay();
  if (corners.length > 2) select(inside(corners), event.shiftKey);
});

overlay.addEventListener('pointercancel', () => {
  outline = [];
  drawOverlay();
});

// Drawn points inside a polygon, by the even-odd rule.
function inside(corners) {
  const [left, right] = [Math.min(...corners.map((c) => c[0])), Math.max(...corners.map((c) => c[0]))];
  const [bottom, top] = [Math.min(...corners.map((c) => c[1])), Math.max(...corners.map((c) => c[1]))];
  return shown.filter((node) => {
    const [px, py] = [x[node], y[node]];
    if (px < left || px > right || py < bottom || py > top) return false;
    let odd = false;
    for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
      const [ax, ay] = corners[i];
      const [bx, by] = corners[j];
      if (ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax) odd = !odd;
    }
    return odd;
  });
}
