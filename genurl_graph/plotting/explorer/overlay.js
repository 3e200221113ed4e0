// Lines to neighbours, rings around nodes and the lasso, drawn on a canvas above the points, and the layers that lie there.

const overlay = find('overlay');
const above = overlay.getContext('2d');
const DASHES = { solid: [], dashed: [6, 4], dotted: [1.5, 3.5] };
let outline = []; // corners of the lasso in pixels

function drawOverlay() {
  const { ratio, columns, rows } = resolution();
  const [width, height] = [plot.clientWidth, plot.clientHeight];
  fitCanvas(overlay, columns, rows);
  above.setTransform(ratio, 0, 0, ratio, 0, 0);
  above.clearRect(0, 0, width, height);
  for (const layer of layers.over) isolated(above, layer, width, height);
  if (state.node >= 0) drawNeighbourhood(above, state.node);
  if (state.hover >= 0 && state.hover !== state.node) ring(above, state.hover, 5.5, cssVariable('ink'), 1.5);
  if (outline.length > 1) drawLasso(above);
}

function drawNeighbourhood(pen, node) {
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
    for (const other of nodes) disc(pen, other, 4.5, colourOf(state.column, other), cssVariable(source.key), 1.8);
  }
  if (time) drawWay(pen, node);
  disc(pen, node, 7, colourOf(state.column, node), cssVariable('ink'), 2.4);
}

function circle(pen, node, radius) {
  pen.beginPath();
  pen.arc(...toPixel(node), radius, 0, 2 * Math.PI);
}

function disc(pen, node, radius, fill, edge, width) {
  circle(pen, node, radius);
  pen.fillStyle = fill;
  pen.fill();
  pen.strokeStyle = cssVariable('paper');
  pen.lineWidth = width + 2;
  pen.stroke();
  pen.strokeStyle = edge;
  pen.lineWidth = width;
  pen.stroke();
}

function ring(pen, node, radius, colour, width) {
  circle(pen, node, radius);
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke();
}

function drawLasso(pen) {
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
