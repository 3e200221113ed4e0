// The chosen node: what is known of it, and its neighbours by edge source.

const ROWS = 8; // neighbours listed before one asks for more

function dot(colour) {
  return make('span', { className: 'dot', style: { background: colour }, 'aria-hidden': 'true' });
}

// Choose a node, or none (-1).
function choose(node, move = false) {
  state.node = node;
  if (time && move && node >= 0 && time.last[node] < 0) turnTo(time.windowOf[time.first[node]]);
  renderCard();
  if (node >= 0 && move) reveal(node);
  drawOverlay();
}

function renderCard() {
  const card = find('card');
  if (state.node < 0) {
    card.replaceChildren(emptyCard());
    return;
  }
  const node = state.node;
  const groups = neighbours(node);
  const all = [node, ...groups.filter((group) => state.lines[group.source.key]).flatMap((group) => group.nodes)];
  const buttons = make('div', { className: 'buttons' },
    make('button', { type: 'button', className: 'link', textContent: 'Zoom to', onclick: () => zoomTo(all) }),
    make('button', { type: 'button', className: 'link', textContent: 'Close', onclick: () => choose(-1) }));
  const facts = make('dl');
  for (const column of columns) {
    const value = make('dd', {}, column.names ? dot(colourOf(column, node)) : null, textOf(column, node));
    facts.append(make('dt', { textContent: column.name, title: column.about }), value);
  }
  card.replaceChildren(
    make('div', { className: 'head' }, make('h2', { textContent: idOf(node), 'aria-live': 'polite' }), buttons),
    ...[thumbnail(node, 112), drawing(node)].filter(Boolean),
    ...(time ? [make('p', { className: 'about', textContent: presence(node) })] : []),
    facts,
    ...(merged || time?.contacts ? [] : [make('p', { className: 'about', textContent: data.mergedAbout })]),
    ...groups.map((group) => renderGroup(node, group)));
  // Below a long legend the card would otherwise begin beyond the edge of the window.
  const area = find('scroll');
  area.scrollTop = Math.max(card.offsetTop + Math.min(card.offsetHeight, area.clientHeight) - area.clientHeight, 0);
}

function emptyCard() {
  const empty = make('div', { className: 'empty' }, find('art').content.cloneNode(true));
  empty.append(make('p', {
    textContent: time?.contacts
      ? 'Click a point, or search for one, to see with whom it shares events.'
      : merged
      ? 'Click a point, or search for one, to see its neighbours by edge source.'
      : 'Click a point, or search for one, to see its neighbours.',
  }));
  return empty;
}

// What the box beside the pointer says.
function tipLines(node) {
  const told = [columns[0], columns.find((one) => one.name === 'Degree'), state.column, state.size];
  const lines = [thumbnail(node, 72), make('strong', { textContent: idOf(node) })];
  for (const column of new Set(told.filter(Boolean))) lines.push(make('div', { textContent: `${column.name}: ${textOf(column, node)}` }));
  if (time) lines.push(make('div', { textContent: presence(node) }));
  if (nearest) lines.push(make('div', { textContent: `Nearest: ${nearestOf(node).slice(0, 5).map(idOf).join(', ')}` }));
  return lines.filter(Boolean);
}

// "4 of 5 the same label": how many neighbours share the node's category in the column that colours the map.
function sameCategory(node, nodes) {
  const column = state.column;
  if (!column || !column.names || !nodes.length || column.values[node] >= column.names.length) return null;
  const same = nodes.filter((other) => column.values[other] === column.values[node]).length;
  return `${same} of ${nodes.length} the same ${column.name.toLowerCase()}`;
}

function renderGroup(node, { source, nodes, weights }) {
  const box = make('input', { type: 'checkbox', checked: state.lines[source.key], title: 'Draw lines' });
  box.addEventListener('change', () => {
    state.lines[source.key] = box.checked;
    drawOverlay();
  });
  const tint = `var(--${source.key})`;
  const group = make('div', { className: 'source', role: 'group', 'aria-label': source.title, 'data-source': source.key });
  group.style.setProperty('--tint', tint);
  group.append(make('label', { title: source.about }, box,
    make('i', { className: `stroke ${source.stroke}` }),
    make('span', { textContent: source.title }),
    make('span', { className: 'count', textContent: String(nodes.length) })));
  const same = sameCategory(node, nodes);
  const about = source === NEAREST || source === CONTACTS ? [source.about, same].filter(Boolean).join('; ') : same;
  if (about) group.append(make('p', { className: 'about', textContent: about }));
  const rows = nodes.map((other, i) => neighbourRow(other, weights ? weights[i] : null, source === CONTACTS));
  group.append(...rows.slice(0, ROWS));
  if (rows.length > ROWS) {
    const more = make('button', { type: 'button', className: 'link', textContent: `${rows.length - ROWS} more` });
    more.addEventListener('click', () => {
      more.replaceWith(...rows.slice(ROWS));
      rows[ROWS].focus();
    });
    group.append(more);
  }
  return group;
}

function neighbourRow(other, weight, counted) {
  const value = weight === null ? (state.column ? textOf(state.column, other) : '') : counted ? String(weight) : weight.toFixed(2);
  const row = make('button', { type: 'button', className: 'row' + (weight === 0 ? ' faded' : ''), 'data-node': String(other) },
    dot(colourOf(state.column, other)),
    make('span', { className: 'name', textContent: idOf(other) }),
    make('span', { className: 'more', textContent: value, title: weight === null ? '' : counted ? 'Events' : 'Weight in the merged graph' }));
  row.addEventListener('click', () => choose(other, true));
  row.addEventListener('mouseenter', () => point(other));
  row.addEventListener('mouseleave', () => point(-1));
  row.addEventListener('focus', () => point(other));
  return row;
}

// Ring a node in the map.
function point(node) {
  state.hover = node;
  drawOverlay();
}
