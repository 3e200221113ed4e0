// Discs, blended into an array of pixels by the processor. Where there is no graphics card, WebGL is emulated and takes ten times
// as long for as many points; where there is one, a frame takes a few milliseconds all the same. See docs/experiments.md.

const PLACES = 4; // parts of a pixel, in each direction, that the place of a disc is rounded to
const SIZES = 8; // parts of a pixel that its diameter is rounded to
const KEPT = 64; // stamps of so many sizes are kept
const stamps = new Map();

// The pixels that a disc covers, and how much of each (0 to 256), for all places within a pixel.
function stampsOf(diameter, width) {
  const size = Math.max(Math.round(diameter * SIZES), SIZES) / SIZES;
  const key = `${size} ${width}`;
  if (!stamps.has(key)) {
    if (stamps.size >= KEPT) stamps.clear();
    // The edge of a large disc shows no fractions of a pixel.
    const places = size < 24 ? PLACES : 1;
    const found = [];
    for (let i = 0; i < places * places; i++) {
      found.push(stamp(size, ((i % places) + 0.5) / places, (Math.floor(i / places) + 0.5) / places, width));
    }
    stamps.set(key, { places, stamps: found, reach: size / 2 + 0.5, side: Math.ceil(size) + 2 });
  }
  return stamps.get(key);
}

function stamp(diameter, left, top, width) {
  const radius = diameter / 2;
  const side = Math.ceil(diameter) + 2;
  const [dx, dy, offset, cover] = [[], [], [], []];
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const away = Math.hypot(column - left - radius, row - top - radius);
      const covered = Math.round(256 * Math.min(Math.max(radius + 0.5 - away, 0), 1));
      if (!covered) continue;
      dx.push(column);
      dy.push(row);
      offset.push(row * width + column);
      cover.push(covered);
    }
  }
  return { dx: Uint8Array.from(dx), dy: Uint8Array.from(dy), offset: Int32Array.from(offset), cover: Uint16Array.from(cover) };
}

// Draw nodes in their order. `pixels` is a Uint32Array [width * height] of opaque colours (0xffbbggrr), `at` says where data lie in it
// ({scale, x, y}), `colours` [n] are 0xaabbggrr, `opacity` (0 to 1) that of all, `level` [n] says which of the `diameters` each has (null: the first).
function rasterise(pixels, width, height, at, { nodes, x, y, colours, opacity, level, diameters }) {
  const sets = diameters.map((diameter) => stampsOf(diameter, width));
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i];
    const { places, stamps, reach, side } = sets[level ? level[node] : 0];
    const px = x[node] * at.scale + at.x - reach;
    const py = at.y - y[node] * at.scale - reach;
    const left = Math.floor(px);
    const top = Math.floor(py);
    if (left + side <= 0 || top + side <= 0 || left >= width || top >= height) continue;
    const inside = left >= 0 && top >= 0 && left + side <= width && top + side <= height;
    const { dx, dy, offset, cover } = stamps[Math.floor((py - top) * places) * places + Math.floor((px - left) * places)];
    const begin = top * width + left;
    const colour = colours[node];
    const alpha = Math.round(((colour >>> 24) * opacity * 256) / 255);
    const redBlue = colour & 0xff00ff;
    const green = colour & 0xff00;
    for (let k = 0; k < offset.length; k++) {
      if (!inside) {
        const [column, row] = [left + dx[k], top + dy[k]];
        if (column < 0 || row < 0 || column >= width || row >= height) continue;
      }
      const share = (cover[k] * alpha) >> 8;
      const old = pixels[begin + offset[k]];
      const oldRedBlue = old & 0xff00ff;
      const oldGreen = old & 0xff00;
      // Red and blue at once: what one borrows from the other falls into bits that the mask takes away.
      pixels[begin + offset[k]] = 0xff000000
        | ((oldRedBlue + (Math.imul(redBlue - oldRedBlue, share) >>> 8)) & 0xff00ff)
        | ((oldGreen + (((green - oldGreen) * share) >> 8)) & 0xff00);
    }
  }
}
