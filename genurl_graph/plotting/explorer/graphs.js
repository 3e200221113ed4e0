// Points that are whole graphs: a small node-link drawing of the chosen one.

const drawings = data.drawings && {
  ...data.drawings,
  ...Object.fromEntries(['node', 'edge', 'x', 'y', 'kind', 'ends', 'size'].map((key) => [key, decode(data.drawings[key])])),
};
data.drawings = null;

const SVG = find('art').content.querySelector('svg').namespaceURI;
const SIDE = 280; // of the drawing, in its own units
const EDGE = 14; // room around it

function shape(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

const kindColour = (code) => PALETTE[code] || cssVariable('missing');

// The drawing of a graph with the kinds of its nodes; null where points are no graphs.
function drawing(graph) {
  if (!drawings) return null;
  const [low, high] = [drawings.node[graph], drawings.node[graph + 1]];
  const size = drawings.size[graph];
  const box = make('div', { className: 'graph', role: 'img', 'aria-label': `Graph ${idOf(graph)}: ${size} nodes` });
  if (low === high) {
    box.append(make('p', { className: 'about', textContent: size ? 'No drawing: this page draws fewer graphs' : 'A graph without nodes' }));
    return box;
  }
  const place = (stored, node) => EDGE + (stored[low + node] / 255) * (SIDE - 2 * EDGE);
  const count = high - low;
  const radius = Math.max(3, Math.min(8, 60 / Math.sqrt(count)));
  const lines = shape('g', { class: 'links' });
  for (let i = drawings.edge[graph]; i < drawings.edge[graph + 1]; i++) {
    const [a, b] = [drawings.ends[2 * i], drawings.ends[2 * i + 1]];
    lines.append(shape('line', {
      x1: place(drawings.x, a), y1: place(drawings.y, a), x2: place(drawings.x, b), y2: place(drawings.y, b),
    }));
  }
  const nodes = shape('g', {});
  const kinds = new Map();
  for (let node = 0; node < count; node++) {
    const code = drawings.kind[low + node];
    kinds.set(code, (kinds.get(code) || 0) + 1);
    nodes.append(shape('circle', { cx: place(drawings.x, node), cy: place(drawings.y, node), r: radius, fill: kindColour(code) }));
  }
  box.append(shape('svg', { viewBox: `0 0 ${SIDE} ${SIDE}` }, lines, nodes));
  const listed = [...kinds].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  box.append(make('div', { className: 'kinds' }, ...listed.map(([code, times]) =>
    make('span', {}, dot(kindColour(code)), `${drawings.kinds[code]} × ${times}`))));
  const part = count < size ? `${count} of ${size.toLocaleString('en')} nodes, those around the one with the most neighbours. ` : '';
  box.append(make('p', { className: 'about', textContent: part + drawings.about }));
  return box;
}
