// Small images of the points: in the card, beside the pointer, and on the map as far as there is room.

const images = data.images && { ...data.images, node: data.images.node && decode(data.images.node) };
data.images = null;
const ROOM = 34; // pixels for an image on the map, at least

let sheet = null; // the sheet, once it is decoded
let showImages = false;
let spread = { shown: null, level: null, list: [] };

if (images) {
  images.place = new Int32Array(n).fill(-1); // of each point's image on the sheet
  for (let i = 0; i < (images.node ? images.node.length : n); i++) images.place[images.node ? images.node[i] : i] = i;
  const loading = new Image();
  loading.addEventListener('load', () => {
    sheet = loading;
    if (showImages) repaint();
    if (state.node >= 0) renderCard();
  });
  loading.src = images.sheet;
  images.sheet = null;
}

// Where a node's image lies on the sheet: x, y, width, height; null where it has none.
function cutOf(node) {
  if (!sheet || images.place[node] < 0) return null;
  const { width, height, across, place } = images;
  return [(place[node] % across) * width, Math.floor(place[node] / across) * height, width, height];
}

// The image of a node as an element with sides of at most `most` pixels, or null.
function thumbnail(node, most) {
  const cut = images && cutOf(node);
  if (!cut) return null;
  const grown = most / Math.max(cut[2], cut[3]);
  const ratio = window.devicePixelRatio || 1;
  const canvas = make('canvas', { className: 'thumbnail', role: 'img', 'aria-label': `Image of ${idOf(node)}` });
  [canvas.width, canvas.height] = [Math.round(cut[2] * grown * ratio), Math.round(cut[3] * grown * ratio)];
  Object.assign(canvas.style, { width: `${cut[2] * grown}px`, height: `${cut[3] * grown}px` });
  const context = canvas.getContext('2d');
  context.imageSmoothingEnabled = grown * ratio < 3; // a few large pixels stay pixels
  context.drawImage(sheet, ...cut, 0, 0, canvas.width, canvas.height);
  return canvas;
}

// Points whose images are drawn: none within a square's side of another one. Squares are fixed to the map, and their
// sides grow by steps, so that the same images stay while one moves.
function spreadOut(level) {
  const side = 2 ** (level / 2);
  const cells = new Map();
  const list = [];
  for (const node of shown) {
    if (images.place[node] < 0) continue;
    const [col, row] = [Math.floor(x[node] / side), Math.floor(y[node] / side)];
    if (isCovered(cells, node, col, row, side)) continue;
    cells.set(`${col} ${row}`, node);
    list.push(node);
  }
  return list;
}

function isCovered(cells, node, col, row, side) {
  for (let i = col - 1; i <= col + 1; i++) {
    for (let j = row - 1; j <= row + 1; j++) {
      const other = cells.get(`${i} ${j}`);
      if (other !== undefined && Math.abs(x[other] - x[node]) < side && Math.abs(y[other] - y[node]) < side) return true;
    }
  }
  return false;
}

function drawImages(pen, width, height) {
  if (!showImages || !sheet) return;
  const level = Math.ceil(2 * Math.log2(ROOM * view.unit));
  if (spread.shown !== shown || spread.level !== level) spread = { shown, level, list: spreadOut(level) };
  const side = 2 ** (level / 2) / view.unit - 5;
  const shape = Math.max(images.width, images.height);
  const [w, h] = [(side * images.width) / shape, (side * images.height) / shape];
  pen.imageSmoothingEnabled = side / shape < 3;
  for (const node of spread.list) {
    const [px, py] = toPixel(node);
    if (px < -side || py < -side || px > width + side || py > height + side) continue;
    pen.fillStyle = colourOf(state.column, node);
    pen.fillRect(px - w / 2 - 2, py - h / 2 - 2, w + 4, h + 4);
    pen.drawImage(sheet, ...cutOf(node), px - w / 2, py - h / 2, w, h);
  }
  pen.imageSmoothingEnabled = true;
}

function setImages(on) {
  showImages = on;
  find('images').checked = on;
  find('images-about').hidden = !on;
  find('images-about').textContent = images.about;
  repaint();
}
