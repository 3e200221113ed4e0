// The map as a PNG, with its title and what the colours and sizes mean.

const SHARP = 2; // pixels of the file for a pixel of the screen, along an axis
const MARGIN = 16;
const LINE = 20; // height of a row of the legend

// Rows of the legend: {text, colour} a category, with a diameter a size, {text, stroke} a kind of edges, {bar} the colour bar.
function legendRows(most) {
  const rows = [];
  const column = state.column;
  if (column) {
    rows.push({ text: column.name, heading: true });
    if (column.names) rows.push(...categoryRows(column, most - (state.size ? 5 : 0) - (showEdges ? 6 : 0)));
    else rows.push({ bar: column }, { text: '' });
  }
  if (state.size) {
    rows.push({ text: '' }, { text: `Size: ${state.size.name}`, heading: true });
    for (const share of [0, 0.5, 1]) {
      rows.push({ text: endText(state.size, valueAt(ends(state.size), share)), colour: cssVariable('missing'), diameter: 4 * diameterOf(share) + 2 });
    }
  }
  const edges = showEdges ? currentEdges().parts.filter(({ list }) => list.length) : [];
  if (edges.length) rows.push({ text: '' }, { text: 'Edges', heading: true });
  for (const { key } of edges) rows.push({ text: sourceOf(key).title, stroke: cssVariable(key) });
  return rows;
}

// Categories that are drawn, as many as there is room for.
function categoryRows(column, most) {
  const counts = countCodes(Array.from(shown, (node) => column.values[node]), column.names.length);
  const { order: sorted, colours: own } = legend(column);
  const codes = [...sorted, column.names.length].filter((code) => counts[code]);
  const listed = codes.length > most ? codes.slice(0, most - 1) : codes;
  const rows = listed.map((code) => ({ text: code < column.names.length ? column.names[code] : 'unknown', colour: own[code] || cssVariable('missing') }));
  if (listed.length < codes.length) rows.push({ text: `and ${codes.length - listed.length} more` });
  return rows;
}

function drawLegend(pen, rows, left, top, width) {
  rows.forEach((row, i) => {
    const middle = top + (i + 0.5) * LINE;
    if (row.bar) return drawBar(pen, row.bar, left, middle - 6, width);
    if (row.colour) {
      pen.fillStyle = row.colour;
      pen.beginPath();
      pen.arc(left + 6, middle, (row.diameter || 10) / 2, 0, 2 * Math.PI);
      pen.fill();
    }
    if (row.stroke) {
      pen.fillStyle = row.stroke;
      pen.fillRect(left, middle - 1.25, 14, 2.5);
    }
    pen.fillStyle = cssVariable(row.heading || row.colour || row.stroke ? 'ink' : 'soft');
    pen.font = `${row.heading ? 600 : 400} 13px ${FONT}`;
    pen.fillText(row.text, left + (row.colour || row.stroke ? 20 : 0), middle);
  });
}

function drawBar(pen, column, left, top, width) {
  const { low, high, below, above } = ends(column);
  const steps = 120;
  for (let i = 0; i < steps; i++) {
    pen.fillStyle = viridis(i / (steps - 1));
    pen.fillRect(left + (i * width) / steps, top, width / steps + 0.5, 12);
  }
  pen.fillStyle = cssVariable('ink');
  pen.font = `12px ${FONT}`;
  pen.fillText((below ? '≤ ' : '') + endText(column, low), left, top + 24);
  pen.textAlign = 'right';
  pen.fillText((above ? '≥ ' : '') + endText(column, high), left + width, top + 24);
  pen.textAlign = 'left';
}

// The map with a line above it and the legend at its right.
function pictureWithLegend() {
  const map = picture(SHARP);
  const [width, height] = [map.width / SHARP, map.height / SHARP];
  const rows = legendRows(Math.floor((height - 2 * MARGIN) / LINE));
  const measure = make('canvas').getContext('2d');
  measure.font = `600 13px ${FONT}`;
  const text = Math.max(150, ...rows.map((row) => measure.measureText(row.text || '').width + (row.colour || row.stroke ? 20 : 0)));
  const legendWidth = rows.length ? text + 2 * MARGIN : 0;
  const head = 44;
  const whole = make('canvas', { width: Math.round((width + legendWidth) * SHARP), height: Math.round((height + head) * SHARP) });
  const pen = whole.getContext('2d');
  pen.fillStyle = cssVariable('paper');
  pen.fillRect(0, 0, whole.width, whole.height);
  pen.drawImage(map, 0, head * SHARP);
  pen.scale(SHARP, SHARP);
  pen.textBaseline = 'middle';
  pen.fillStyle = cssVariable('ink');
  pen.font = `650 19px ${FONT}`;
  pen.fillText(data.title, MARGIN, head / 2 + 2);
  const after = MARGIN + pen.measureText(data.title).width + 14;
  pen.fillStyle = cssVariable('soft');
  pen.font = `13px ${FONT}`;
  pen.fillText([find('status').textContent, time ? windowName(time.now) : ''].filter(Boolean).join('; '), after, head / 2 + 3);
  drawLegend(pen, rows, width + MARGIN, head + MARGIN, text);
  return whole;
}

function savePicture() {
  pictureWithLegend().toBlob((blob) => download(blob, `${data.title.replace(/[^\p{L}\p{N}._-]+/gu, '-').slice(0, 60) || 'map'}.png`), 'image/png');
}

function download(blob, name) {
  const address = URL.createObjectURL(blob);
  make('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
