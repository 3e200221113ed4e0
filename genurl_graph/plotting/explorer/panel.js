// What stands beside the map: fill it once, and listen.

function fillPanel() {
  find('title').textContent = data.title;
  if (drawings) document.querySelector('label[for=search]').textContent = 'Find a graph';
  find('notes').append(...data.notes.map((note) => make('li', { textContent: note })));
  fillChoice('colour', colourable, chooseColumn);
  const numbers = columns.filter((column) => !column.names && isKnown(column));
  find('size').append(make('option', { value: '-1', textContent: 'one size' }));
  fillChoice('size', numbers, chooseSize);
  find('colour').value = String(columns.indexOf(state.column));
  find('size').value = String(columns.indexOf(state.size));
  find('size').closest('div').hidden = !numbers.length;
  fillLayers();
  if (time) {
    fillTimeBar();
    const keys = [['Space', 'play'], ['← →', 'step'], ['/', 'find'], ['L', 'lasso'], ['Esc', 'clear']];
    document.querySelector('footer').replaceChildren(...keys.flatMap(([key, use]) => [make('kbd', { textContent: key }), ` ${use} `]));
  }
  updateSizes();
  renderSizes();
  renderKey();
  renderCard();
}

function fillChoice(id, chosen, choose) {
  const choice = find(id);
  choice.append(...chosen.map((column) => make('option', { value: String(columns.indexOf(column)), textContent: column.name })));
  choice.disabled = choice.options.length < 2 && !chosen.length;
  choice.addEventListener('change', () => choose(columns[Number(choice.value)] ?? null));
}

// Names, images and edges: what may be drawn beside the points.
function fillLayers() {
  const there = { names: Boolean(data.ids) || columns.some((column) => column.names), images: Boolean(images), edges: Boolean(merged || time?.contacts) };
  const set = { names: setNames, images: setImages, edges: setEdges };
  for (const [id, switched] of Object.entries(set)) {
    find(id).closest('label').hidden = !there[id];
    find(id).addEventListener('change', () => switched(find(id).checked));
  }
  find('layers').hidden = !Object.values(there).includes(true);
  layers.over.push(drawImages, drawNames);
}
