// What the page carries, decoded once.

performance.mark('scripts'); // marks are what tests/benchmarks/bench_explorer.py reads

const TYPES = { f4: Float32Array, f8: Float64Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array };

function decode(stored) {
  const text = atob(stored.data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new TYPES[stored.type](bytes.buffer);
}

const data = JSON.parse(document.getElementById('data').textContent);
document.getElementById('data').remove();
const n = data.n;
const x = decode(data.x);
const y = decode(data.y);
const columns = data.columns.map((column) => ({ ...column, values: decode(column.values), hidden: new Set(), range: null }));
const nearest = data.nearest && { ...data.nearest, node: decode(data.nearest.node) };
const merged = data.merged && {
  ...data.merged,
  start: decode(data.merged.start),
  node: decode(data.merged.node),
  bits: decode(data.merged.bits),
  weight: decode(data.merged.weight),
};
data.x = data.y = data.columns = data.nearest = data.merged = null;

// Text of which most cells differ has no colours: it is shown and searched only. Nor has a column without a known value.
const isKnown = (column) => (column.names ? column.names.length > 0 : column.values.some((value) => !Number.isNaN(value)));
const isTelling = (column) => isKnown(column) && (!column.names || column.names.length <= Math.max(50, n / 2));
const colourable = columns.filter((column, i) => i === data.colour || isTelling(column)); // what --color-by names in any case

const idOf = (node) => (data.ids ? data.ids[node] : String(node));

// Edge sources of the neighbours. Bits as in genurl_graph.graph: 1 predefined, 2 kNN, 4 path.
const SOURCES = [
  { key: 'given', bits: 1, title: 'Predefined only', stroke: 'solid', about: 'Predefined edges that are no kNN edges' },
  { key: 'feature', bits: 2, title: 'kNN only', stroke: 'dashed', about: 'Added by the merge: nearest neighbours by features' },
  { key: 'both', bits: 3, title: 'Both', stroke: 'solid', about: 'Edges of both sources' },
  { key: 'path', bits: 4, title: 'Shortest paths', stroke: 'dotted', about: 'Joined by paths over edges of both sources' },
];
const CONTACTS = { key: 'given', title: 'Shares events with', stroke: 'solid', about: 'In this window, or the last before it in which the node has events; numbers count events' };
const present = new Set(merged ? merged.bits : []); // kinds of edges that there are at all
const NEAREST = { key: 'nearest', title: 'Nearest in the embedding', stroke: 'dotted', about: nearest ? nearest.about : '' };

// Groups of neighbours of a node: [{source, nodes, weights}], one for each edge source in the graph.
function neighbours(node) {
  const groups = [];
  if (time && time.contacts) groups.push({ source: CONTACTS, ...contactsOf(node) });
  if (merged) {
    const low = merged.start[node];
    const high = merged.start[node + 1];
    for (const source of SOURCES.filter(({ bits }) => present.has(bits))) {
      const nodes = [];
      const weights = [];
      for (let i = low; i < high; i++) {
        if (merged.bits[i] === source.bits) {
          nodes.push(merged.node[i]);
          weights.push(merged.weight[i] * merged.largest);
        }
      }
      groups.push({ source, nodes, weights });
    }
  }
  if (nearest) {
    groups.push({ source: NEAREST, nodes: nearestOf(node), weights: null });
  }
  return groups;
}

// A value of a column as text.
function textOf(column, node) {
  const value = column.values[node];
  if (column.names) return value < column.names.length ? column.names[value] : 'unknown';
  return Number.isNaN(value) ? 'unknown' : valueText(column, value);
}

// A number of a column as text: dates are days since 1970.
function valueText(column, value) {
  return column.dates ? dateText(value) : short(value);
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

// The same for the ends of a scale: over days, nobody asks for the hour, of millions for the units.
function endText(column, value) {
  const { low, high } = ends(column);
  if (column.dates && high - low > 4) return dateText(Math.floor(value));
  return !column.dates && Math.abs(value) >= 1e6 ? compact.format(value) : valueText(column, value);
}

// A day, and the time of the day where there is one.
function dateText(days) {
  const text = new Date(Math.round(days * 86400000)).toISOString();
  if (Math.abs(days - Math.round(days)) < 1e-9) return text.slice(0, 10);
  return text.slice(0, text.slice(17, 19) === '00' ? 16 : 19).replace('T', ' ');
}

function short(value) {
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return String(Number(value.toPrecision(4)));
}

// What is shown and chosen now.
const state = {
  column: columns[data.colour] ?? colourable[0] ?? null,
  size: columns[data.size] ?? null, // the column that points are sized by
  only: null, // Uint8Array [n]: points beside which all others are hidden; null: none
  node: -1,
  hover: -1,
  selected: null, // Uint8Array [n], or null
  passes: null, // Uint8Array [n]: 0 where a filter leaves a point out; null: no filter
  scale: null, // Float32Array [n]: diameters as multiples of the common one; null: all the same
  lines: { given: true, feature: true, both: true, path: true, nearest: !merged && !data.time?.contacts },
};

// An element with properties and children; text goes in as text, never as markup.
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element && name !== 'style' && name !== 'list') element[name] = value;
    else if (name === 'style') Object.assign(element.style, value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const find = (id) => document.getElementById(id);

function cssVariable(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
