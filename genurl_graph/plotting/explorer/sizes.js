// Points sized by a column of numbers: their areas grow with the value.

const LEAST_SCALE = 0.55; // diameters as multiples of the common one
const MOST_SCALE = 2.6;

// Diameter of a share (0 to 1) of the range: areas are in proportion, diameters are not.
const diameterOf = (share) => Math.sqrt(LEAST_SCALE ** 2 + share * (MOST_SCALE ** 2 - LEAST_SCALE ** 2));

function updateSizes() {
  const column = state.size;
  if (!column) {
    state.scale = null;
    return;
  }
  const range = ends(column);
  const scale = new Float32Array(n);
  for (let node = 0; node < n; node++) {
    const share = shareOf(range, column.values[node]);
    scale[node] = Number.isNaN(share) ? LEAST_SCALE : diameterOf(Math.min(Math.max(share, 0), 1));
  }
  state.scale = scale;
}

function chooseSize(column) {
  state.size = column;
  find('size').value = String(columns.indexOf(column));
  updateSizes();
  renderSizes();
  return draw();
}

// Three discs: which size means what.
function renderSizes() {
  const key = find('sizes');
  key.hidden = !state.size;
  if (!state.size) return;
  const { below, above } = ends(state.size);
  const marks = [[0, below ? '≤ ' : ''], [0.5, ''], [1, above ? '≥ ' : '']];
  key.replaceChildren('Size', ...marks.map(([share, mark]) => {
    const side = `${4 * diameterOf(share) + 2}px`;
    const disc = make('i', { style: { width: side, height: side } });
    return make('span', {}, disc, mark + endText(state.size, valueAt(ends(state.size), share)));
  }));
}
