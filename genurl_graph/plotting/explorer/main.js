// Put the page together.

const tip = find('tip');

function showTip(node) {
  const lines = [make('strong', { textContent: idOf(node) })];
  for (const column of columns.filter((one, i) => i === 0 || one.name === 'Degree' || one === state.column)) {
    lines.push(make('div', { textContent: `${column.name}: ${textOf(column, node)}` }));
  }
  if (time) lines.push(make('div', { textContent: presence(node) }));
  if (nearest) {
    lines.push(make('div', { textContent: `Nearest: ${nearestOf(node).slice(0, 5).map(idOf).join(', ')}` }));
  }
  tip.replaceChildren(...lines);
  tip.hidden = false;
  const [px, py] = toPixel(node);
  const left = px + 14 + tip.offsetWidth < plot.clientWidth ? px + 14 : px - 14 - tip.offsetWidth;
  const top = Math.min(Math.max(py - tip.offsetHeight / 2, 8), plot.clientHeight - tip.offsetHeight - 8);
  tip.style.transform = `translate(${Math.round(Math.max(left, 8))}px, ${Math.round(top)}px)`;
}

function hideTip() {
  tip.hidden = true;
  point(-1);
}

function listen() {
  listenToPointers();
  new ResizeObserver(() => {
    fitWindow();
    if (!isFitted()) paint();
  }).observe(plot);
  dark.addEventListener('change', () => chooseColumn(state.column));

  find('move').addEventListener('click', () => setLasso(false));
  find('lasso').addEventListener('click', () => setLasso(true));
  find('closer').addEventListener('click', () => zoomBy(1.5));
  find('farther').addEventListener('click', () => zoomBy(1 / 1.5));
  find('fit').addEventListener('click', showAll);
  document.addEventListener('keydown', onKey);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input[type=search], select')) return;
  const actions = {
    '/': () => search.focus(),
    m: () => setLasso(false),
    l: () => setLasso(true),
    '+': () => zoomBy(1.5),
    '=': () => zoomBy(1.5),
    '-': () => zoomBy(1 / 1.5),
    0: showAll,
    Escape: () => (isLasso() ? setLasso(false) : state.selected ? clearSelection() : choose(-1)),
  };
  // In the panel they scroll, or move within a list.
  if (!event.target.closest('#panel, input')) {
    actions.ArrowLeft = () => shift(-1, 0);
    actions.ArrowRight = () => shift(1, 0);
    actions.ArrowUp = () => shift(0, 1);
    actions.ArrowDown = () => shift(0, -1);
  }
  if (time && !event.target.closest('input[type=range]')) {
    actions.ArrowLeft = () => turnTo(time.now - 1);
    actions.ArrowRight = () => turnTo(time.now + 1);
    if (!event.target.closest('button, input')) actions[' '] = play;
  }
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function fillPanel() {
  find('title').textContent = data.title;
  if (drawings) document.querySelector('label[for=search]').textContent = 'Find a graph';
  find('notes').append(...data.notes.map((note) => make('li', { textContent: note })));
  const choice = find('colour');
  choice.append(...columns.map((column, i) => make('option', { value: String(i), textContent: column.name })));
  choice.disabled = columns.length === 0;
  choice.addEventListener('change', () => chooseColumn(columns[Number(choice.value)]));
  if (time) {
    fillTimeBar();
    const keys = [['Space', 'play'], ['← →', 'step'], ['/', 'find'], ['L', 'lasso'], ['Esc', 'clear']];
    document.querySelector('footer').replaceChildren(...keys.flatMap(([key, use]) => [make('kbd', { textContent: key }), ` ${use} `]));
  }
  renderKey();
  renderCard();
}

function start() {
  performance.mark('decoded');
  fillPanel();
  fitWindow();
  prepare();
  paint();
  listen();
  // For scripts and tests: the same that clicks do.
  window.explorer = { choose, chooseColumn, columns, drawn, layers, look, pick, picture, play, repaint, select, showWindow, state, time, toPixel, view };
  performance.mark('ready');
  document.documentElement.dataset.ready = 'true';
}

start();
