// What part of the map is seen, and where on the screen its places lie.

const plot = find('plot');
const view = { x: 0, y: 0, unit: 1 }; // centre in data units, and data units a CSS pixel
const CLOSEST = 20000; // times closer than the whole map: beyond it the coordinates' 32 bits run out
const FARTHEST = 0.2;
const LARGEST = 14; // CSS pixels of a point by zooming
let home = null; // the view that shows everything

function extent(nodes, px = x, py = y) {
  const box = [Infinity, -Infinity, Infinity, -Infinity];
  for (const node of nodes) {
    box[0] = Math.min(box[0], px[node]);
    box[1] = Math.max(box[1], px[node]);
    box[2] = Math.min(box[2], py[node]);
    box[3] = Math.max(box[3], py[node]);
  }
  return box;
}

// Of all points, in all windows of time.
const everything = () => (time ? extent(time.x.keys(), time.x, time.y) : extent(x.keys()));

// The view that holds a box, with a margin.
function framed([left, right, bottom, top], margin = 0.05) {
  const width = plot.clientWidth || 1;
  const height = plot.clientHeight || 1;
  const unit = Math.max((right - left) / width, (top - bottom) / height) * (1 + 2 * margin) || 1 / width;
  return { x: (left + right) / 2, y: (bottom + top) / 2, unit };
}

const toPixels = (px, py) => [(px - view.x) / view.unit + plot.clientWidth / 2, plot.clientHeight / 2 - (py - view.y) / view.unit];
const toPixel = (node) => toPixels(x[node], y[node]);
const toData = (px, py) => [view.x + (px - plot.clientWidth / 2) * view.unit, view.y + (plot.clientHeight / 2 - py) * view.unit];
const zoomLevel = () => (home ? home.unit / view.unit : 1);

// Points grow as one comes closer, more slowly than the distances between them do.
const pointDiameter = () => Math.min(data.style.size * Math.sqrt(Math.max(zoomLevel(), 1)), Math.max(LARGEST, data.style.size));

// The fewer points are seen, the less they hide of each other.
const pointOpacity = () => data.style.opacity + Math.max(0.9 - data.style.opacity, 0) * Math.min(Math.max(Math.log2(zoomLevel()) / 5, 0), 1);

function look(wanted) {
  const unit = Math.min(Math.max(wanted.unit ?? view.unit, home.unit / CLOSEST), home.unit / FARTHEST);
  Object.assign(view, wanted, { unit });
  if (!tip.hidden) hideTip();
  return repaint();
}

function showAll() {
  home = framed(everything());
  return look(home);
}

// Zoom about a pixel, which stays where it is; about the middle by default.
function zoomBy(factor, px = plot.clientWidth / 2, py = plot.clientHeight / 2) {
  const [fixedX, fixedY] = toData(px, py);
  look({ unit: view.unit / factor });
  const [nowX, nowY] = toData(px, py);
  return look({ x: view.x + fixedX - nowX, y: view.y + fixedY - nowY });
}

// By a tenth of the window, as an arrow key does.
function shift(right, up) {
  return look({ x: view.x + (right * plot.clientWidth * view.unit) / 10, y: view.y + (up * plot.clientHeight * view.unit) / 10 });
}

// Move so that a node can be seen, if it cannot.
function reveal(node) {
  const [px, py] = toPixel(node);
  const margin = 24;
  if (px > margin && py > margin && px < plot.clientWidth - margin && py < plot.clientHeight - margin) return;
  look({ x: x[node], y: y[node] });
}

function zoomTo(nodes) {
  const [left, right, bottom, top] = extent(nodes);
  const least = (home.unit * plot.clientWidth) / 60;
  const grown = (low, high) => (high - low < least ? [(low + high - least) / 2, (low + high + least) / 2] : [low, high]);
  look(framed([...grown(left, right), ...grown(bottom, top)], 0.25));
}

// After a change of the window's size: everything again if that was seen, else the same place as close.
function fitWindow() {
  const whole = !home || (view.x === home.x && view.y === home.y && view.unit === home.unit);
  home = framed(everything());
  if (whole) Object.assign(view, home);
}
