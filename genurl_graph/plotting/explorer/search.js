// Find nodes by their ids, or by what any column says of them.

const MOST = 30; // nodes listed
const search = find('search');
const found = find('found');
let hits = []; // [{node, column}]: column says where the text was found, null: in the id
let matching = []; // all nodes that match
let active = -1;

// "kind: cat" looks in the column kind alone; "id: 7" in the ids.
function parseQuery(text) {
  const [, name, rest] = /^([^:]+):\s*(.*)$/s.exec(text) || [];
  const wanted = name && name.trim().toLowerCase();
  const own = wanted && columns.filter((column) => column.name.toLowerCase() === wanted);
  if (wanted === 'id') return { text: rest, ids: true, columns: [] };
  return own && own.length ? { text: rest, ids: false, columns: own } : { text, ids: true, columns };
}

// Codes of a column whose names contain the text, as flags; of numbers, nodes whose value reads like it.
function matcher(column, wanted) {
  if (!column.names) {
    const number = Number(wanted);
    const same = column.values instanceof Float32Array ? Math.fround(number) : number;
    if (!column.dates && wanted !== '' && !Number.isNaN(number)) return (node) => column.values[node] === same;
    return (node) => column.dates && !Number.isNaN(column.values[node]) && textOf(column, node).startsWith(wanted);
  }
  const flags = Uint8Array.from(column.names, (name) => (name.toLowerCase().includes(wanted) ? 1 : 0));
  return flags.includes(1) ? (node) => flags[column.values[node]] === 1 : null;
}

// Nodes whose id is the text, then those whose id begins with it, contains it, then those of whom a column says it.
function lookUp(given) {
  const { text, ids, columns: own } = parseQuery(given.trim());
  const wanted = text.toLowerCase();
  if (!wanted) return [];
  const groups = [[], [], [], []];
  const matchers = own.map((column) => [column, matcher(column, wanted)]).filter(([, match]) => match);
  for (let node = 0; node < n; node++) {
    const place = ids ? idOf(node).toLowerCase().indexOf(wanted) : -1;
    if (place >= 0) groups[place > 0 ? 2 : idOf(node).length === wanted.length ? 0 : 1].push({ node, column: null });
    else {
      const first = matchers.find(([, match]) => match(node));
      if (first) groups[3].push({ node, column: first[0] });
    }
  }
  return groups.flat();
}

function renderFound() {
  const open = search.value.trim() !== '';
  const all = open ? lookUp(search.value) : [];
  hits = all.slice(0, MOST);
  matching = all.map(({ node }) => node);
  active = hits.length ? 0 : -1;
  const items = hits.map(({ node, column }, i) => {
    const told = column || state.column;
    const item = make('li', { role: 'option', id: `hit-${i}` },
      dot(colourOf(state.column, node)),
      make('span', { className: 'name', textContent: idOf(node) }),
      make('span', { className: 'more', textContent: told ? (column ? `${column.name}: ` : '') + textOf(told, node) : '' }));
    item.addEventListener('mousedown', (event) => {
      event.preventDefault();
      take(i);
    });
    return item;
  });
  if (matching.length > 1) items.push(selectAll());
  if (open && !hits.length) items.push(make('li', { className: 'none', textContent: `No ${drawings ? 'graph' : 'node'} has this in its id or in a column` }));
  found.replaceChildren(...items);
  setOpen(open);
  mark();
}

// The last line: all nodes that match become the selection.
function selectAll() {
  const count = matching.length.toLocaleString('en');
  const item = make('li', { className: 'all', title: 'Shift + Enter' }, make('span', { className: 'link', textContent: `Select all ${count}` }));
  item.addEventListener('mousedown', (event) => {
    event.preventDefault();
    takeAll();
  });
  return item;
}

function takeAll() {
  setOpen(false);
  select(matching);
}

function setOpen(open) {
  found.hidden = !open;
  search.setAttribute('aria-expanded', String(open));
}

function mark() {
  [...found.children].forEach((item, i) => item.setAttribute('aria-selected', String(i === active)));
  if (active < 0) search.removeAttribute('aria-activedescendant');
  else {
    search.setAttribute('aria-activedescendant', `hit-${active}`);
    found.children[active].scrollIntoView({ block: 'nearest' });
  }
}

function take(i) {
  if (i < 0 || i >= hits.length) return;
  search.value = idOf(hits[i].node);
  setOpen(false);
  choose(hits[i].node, true);
}

search.addEventListener('input', renderFound);
search.addEventListener('focus', () => search.select());
search.addEventListener('blur', () => setOpen(false));
search.addEventListener('keydown', (event) => {
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault();
    if (found.hidden) renderFound();
    else if (hits.length) active = (active + (event.key === 'ArrowDown' ? 1 : hits.length - 1)) % hits.length;
    mark();
  } else if (event.key === 'Enter') {
    if (found.hidden) renderFound();
    if (event.shiftKey && matching.length) takeAll();
    else take(active);
  } else if (event.key === 'Escape') {
    event.stopPropagation();
    if (found.hidden) search.blur();
    else setOpen(false);
  }
});
