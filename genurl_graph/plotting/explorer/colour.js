// Colours of points: categories by a palette, numbers by viridis.

const PALETTE = [
  '#3b7dd8', '#f08a24', '#2ca05a', '#d9433f', '#8e63ce', '#9a6a4f', '#e06fb8', '#17a9b8', '#a8a51c', '#5d6f8c',
  '#93bbf0', '#f9c48c', '#8fd3a8', '#f0a19e', '#c8b1e8', '#cbaa98', '#f2b9df', '#8bd7df', '#d7d57e', '#aab7ca',
];
const VIRIDIS = [
  [68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142],
  [31, 158, 137], [53, 183, 121], [110, 206, 88], [181, 222, 43], [253, 231, 37],
];
const STEPS = 128;
const FADED = '22'; // opacity of what a lasso has left out, in hexadecimal digits

const dark = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => dark.matches;
const hex = (rgb) => '#' + rgb.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('');

// Its dark end would vanish on a dark page, so there it begins at a fifth.
function viridis(share) {
  const begin = isDark() ? 0.2 : 0;
  const place = (begin + (1 - begin) * Math.min(Math.max(share, 0), 1)) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(place), VIRIDIS.length - 2);
  return hex(VIRIDIS[low].map((part, i) => part + (place - low) * (VIRIDIS[low + 1][i] - part)));
}

// Ends of the colour map: the range, or where a few values lie far out, the 1st and 99th percentile. Numbers above 0 (whole
// numbers: from 0 on) whose ends lie a factor of a thousand apart, or of twenty above the median, have a logarithmic scale.
function ends(column) {
  if (column.ends) return column.ends;
  const values = column.all || column.values;
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  if (!known.length) return (column.ends = { low: 0, high: 0, below: false, above: false, unknown: values.length, add: null });
  const at = (share) => known[Math.round(share * (known.length - 1))];
  let [low, high] = [at(0), at(1)];
  const add = logOffset(column, known);
  const [first, last] = [at(0.01), at(0.99)];
  const width = (from, to) => (add === null ? to - from : Math.log(to + add) - Math.log(from + add));
  if (width(low, high) > 1.5 * width(first, last) && last > first) [low, high] = [first, last];
  column.ends = { low, high, below: at(0) < low, above: at(1) > high, unknown: values.length - known.length, add };
  return column.ends;
}

// What is added to values before their logarithm is taken; null: the scale is linear. `known` is sorted.
function logOffset(column, known) {
  const [low, median, high] = [0, 0.5, 0.99].map((share) => known[Math.round(share * (known.length - 1))]);
  if (column.dates || low < 0) return null;
  const add = low > 0 ? 0 : 1;
  if (add && !known.every(Number.isInteger)) return null;
  return (high + add) / (low + add) >= 1000 || (high + add) / (median + add) >= 20 ? add : null;
}

// Where a value lies between the ends of the scale (0 to 1, beyond it outside), and the value that lies there.
function shareOf({ low, high, add }, value) {
  if (add === null) return (value - low) / (high - low || 1);
  return Math.log((Math.max(value, 0) + add) / (low + add)) / (Math.log((high + add) / (low + add)) || 1);
}

function valueAt({ low, high, add }, share) {
  if (share === 1) return high;
  return add === null ? low + share * (high - low) : (low + add) * ((high + add) / (low + add)) ** share - add;
}

// How often each code comes; the last count is that of unknown ones.
function countCodes(codes, categories) {
  const counts = new Array(categories + 1).fill(0);
  for (const code of codes) counts[code] += 1;
  return counts;
}

// Categories in the order of the legend, and the colour of each; beyond the palette the commonest are coloured.
function legend(column) {
  if (column.legend) return column.legend;
  // Of a column that changes with time the colours are those of all windows together.
  const counts = countCodes(column.all || column.values, column.names.length);
  let order = column.names.map((_, code) => code);
  if (order.length > PALETTE.length) order = order.sort((a, b) => counts[b] - counts[a] || a - b);
  const colours = new Array(counts.length).fill(null);
  order.slice(0, PALETTE.length).forEach((code, place) => (colours[code] = PALETTE[place]));
  column.legend = { order, counts: countCodes(column.values, column.names.length), colours };
  return column.legend;
}

// Colour of one point by a column.
function colourOf(column, node) {
  const missing = cssVariable('missing');
  if (!column) return cssVariable('accent');
  if (column.names) return legend(column).colours[column.values[node]] || missing;
  const value = column.values[node];
  return Number.isNaN(value) ? missing : viridis(shareOf(ends(column), value));
}

// A function node -> colour for all points, which looks everything up beforehand.
function painter(column) {
  const missing = cssVariable('missing');
  if (!column) {
    const accent = cssVariable('accent');
    return () => accent;
  }
  const values = column.values;
  if (column.names) {
    const colours = legend(column).colours.map((colour) => colour || missing);
    return (node) => colours[values[node]];
  }
  const scale = ends(column);
  const table = Array.from({ length: STEPS + 1 }, (_, i) => viridis(i / STEPS));
  return (node) => {
    const value = values[node];
    if (Number.isNaN(value)) return missing;
    return table[Math.min(Math.max(Math.round(shareOf(scale, value) * STEPS), 0), STEPS)];
  };
}
