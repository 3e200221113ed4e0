// One frame of the map: what lies below the points, the points, what lies above them.

const canvas = find('points');
const screen = canvas.getContext('2d', { alpha: false });
const below = document.createElement('canvas').getContext('2d', { alpha: false, willReadFrequently: true });
// Functions (pen, width, height) that draw in CSS pixels, in every frame.
const layers = { under: [], over: [] };
let image = null; // pixels of the screen, kept from frame to frame
let pending = null; // the frame that has been asked for
let moving = false; // the map moves: leave out what takes long

function fitCanvas(one, width, height) {
  if (one.width !== width) one.width = width;
  if (one.height !== height) one.height = height;
}

// The points on paper, with the layers below them, into an image of width x height CSS pixels times the ratio.
function paintPoints(target, width, height, ratio) {
  const pixels = new Uint32Array(target.data.buffer);
  const paper = cssVariable('paper');
  if (layers.under.length) {
    fitCanvas(below.canvas, target.width, target.height);
    below.setTransform(ratio, 0, 0, ratio, 0, 0);
    below.fillStyle = paper;
    below.fillRect(0, 0, width, height);
    for (const layer of layers.under) isolated(below, layer, width, height);
    target.data.set(below.getImageData(0, 0, target.width, target.height).data);
  } else pixels.fill(packed(paper));
  const scale = ratio / view.unit;
  const at = { scale, x: (width / 2) * ratio - view.x * scale, y: (height / 2) * ratio + view.y * scale };
  const sizes = diameters().map((one) => one * ratio);
  rasterise(pixels, target.width, target.height, at, { nodes: sequence, x, y, colours, opacity: pointOpacity(), level, diameters: sizes });
}

// A layer leaves the pen as it was.
function isolated(pen, layer, width, height) {
  pen.save();
  layer(pen, width, height);
  pen.restore();
}

// The size of the map in pixels of the screen.
function resolution() {
  const ratio = window.devicePixelRatio || 1;
  return { ratio, columns: Math.round(plot.clientWidth * ratio), rows: Math.round(plot.clientHeight * ratio) };
}

function isFitted() {
  const { columns, rows } = resolution();
  return canvas.width === columns && canvas.height === rows;
}

function paint() {
  const { ratio, columns, rows } = resolution();
  if (!columns || !rows) return;
  fitCanvas(canvas, columns, rows);
  if (!image || image.width !== columns || image.height !== rows) image = screen.createImageData(columns, rows);
  paintPoints(image, plot.clientWidth, plot.clientHeight, ratio);
  screen.putImageData(image, 0, 0);
  drawOverlay();
}

// The next frame, once for all who ask for it before it comes.
function repaint() {
  pending = pending || new Promise((resolve) => requestAnimationFrame(() => {
    pending = null;
    paint();
    resolve();
  }));
  return pending;
}

// The map as a canvas of its own: paper, points, both kinds of layers, the chosen node with its neighbours.
function picture(ratio = 2) {
  const [width, height] = [plot.clientWidth, plot.clientHeight];
  const pen = make('canvas', { width: Math.round(width * ratio), height: Math.round(height * ratio) }).getContext('2d');
  const target = pen.createImageData(pen.canvas.width, pen.canvas.height);
  paintPoints(target, width, height, ratio);
  pen.putImageData(target, 0, 0);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  for (const layer of layers.over) isolated(pen, layer, width, height);
  if (state.node >= 0) drawNeighbourhood(pen, state.node);
  return pen.canvas;
}
