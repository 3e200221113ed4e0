// Lines to neighbours, rings around nodes and the lasso, drawn on a canvas above the points.

const overlay = find('overlay');
const pen = overlay.getContext('2d');
const DASHES = { solid: [], dashed: [6, 4], dotted: [1.5, 3.5] };
let outline = []; // corners of the lasso in pixels

// Axes as they are at this moment: while one drags, plotly changes the ranges of its own copy first.
function axes() {
  const full = plot._fullLayout;
  return [full.xaxis.range, full.yaxis.range];
}

function toPixel(node) {
  const [rx, ry] = axes();
  return [
    ((x[node] - rx[0]) / (rx[1] - rx[0])) * plot.clientWidth,
    ((ry[1] - y[node]) / (ry[1] - ry[0])) * plot.clientHeight,
  ];
}

function toData(px, py) {
  const [rx, ry] = axes();
  return [
    rx[0] + (px / plot.clientWidth) * (rx[1] - rx[0]),
    ry[1] - (py / plot.clientHeight) * (ry[1] - ry[0]),
  ];
}

function drawOverlay() {
  if (!plot._fullLayout) return;
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [plot.clientWidth, plot.clientHeight];
  if (overlay.width !== Math.round(width * ratio) || overlay.height !== Math.round(height * ratio)) {
    overlay.width = Math.round(width * ratio);
    overlay.height = Math.round(height * ratio);
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  if (state.node >= 0) drawNeighbourhood(state.node);
  if (state.hover >= 0 && state.hover !== state.node) ring(state.hover, 5.5, cssVariable('ink'), 1.5);
  if (outline.length > 1) drawLasso();
}

function drawNeighbourhood(node) {
  const from = toPixel(node);
  // The last sources are drawn first, so that the rarer edges lie above them.
  for (const { source, nodes } of neighbours(node).reverse()) {
    if (!state.lines[source.key]) continue;
    pen.strokeStyle = cssVariable(source.key);
    pen.lineWidth = 1.4;
    pen.globalAlpha = 0.85;
    pen.setLineDash(DASHES[source.stroke]);
    pen.beginPath();
    for (const other of nodes) {
      pen.moveTo(...from);
      pen.lineTo(...toPixel(other));
    }
    pen.stroke();
    pen.setLineDash([]);
    pen.globalAlpha = 1;
    for (const other of nodes) disc(other, 4.5, colourOf(state.column, other), cssVariable(source.key), 1.8);
  }
  if (time) drawWay(node);
  disc(node, 7, colourOf(state.column, node), cssVariable('ink'), 2.4);
}

function circle(node, radius) {
  pen.beginPath();
  pen.arc(...toPixel(node), radius, 0, 2 * Math.PI);
}

function disc(node, radius, fill, edge, width) {
  circle(node, radius);
  pen.fillStyle = fill;
  pen.fill();
  pen.strokeStyle = cssVariable('paper');
  pen.lineWidth = width + 2;
  pen.stroke();
  pen.strokeStyle = edge;
  pen.lineWidth = width;
  pen.stroke();
}

function ring(node, radius, colour, width) {
  circle(node, radius);
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke();
}

function drawLasso() {
  pen.beginPath();
  outline.forEach(([px, py], i) => (i ? pen.lineTo(px, py) : pen.moveTo(px, py)));
  pen.closePath();
  pen.fillStyle = cssVariable('accent') + '1f';
  pen.fill();
  pen.strokeStyle = cssVariable('accent');
  pen.lineWidth = 1.5;
  pen.setLineDash([5, 4]);
  pen.stroke();
  pen.setLineDash([]);
}
