// A chart of lines over two logarithmic axes, as SVG, readable on light and on dark pages.
const WIDTH = 760;
const HEIGHT = 420;
const LEFT = 70;
const RIGHT = 130;
const TOP = 40;
const BOTTOM = 50;
const COLOURS = ['#1f77b4', '#d62728', '#7f7f7f', '#2ca02c', '#9467bd', '#ff7f0e', '#17becf'];
/** Labels of lines that end close together are pushed apart by so much. */
const LABEL_HEIGHT = 14;

const escapeText = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const at = (value) => value.toFixed(1);

/** A scale from values to pixels, from the power of `base` below the least to the one above the greatest. */
function createScale(values, base, from, to) {
  const log = (value) => Math.log(value) / Math.log(base);
  const low = Math.floor(log(Math.min(...values)) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(log(Math.max(...values)) - 1e-9));
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => base ** (low + index));
  return { ticks, place: (value) => from + ((log(value) - low) / (high - low)) * (to - from) };
}

function text(x, y, content, anchor = 'middle', colour = '#555') {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" fill="${colour}">${escapeText(content)}</text>`;
}

function axes({ x, y, formatX, formatY, title, xTitle }) {
  const bottom = HEIGHT - BOTTOM;
  const right = WIDTH - RIGHT;
  const rules = y.ticks.map((tick) => {
    const place = at(y.place(tick));
    return `<line x1="${LEFT}" x2="${right}" y1="${place}" y2="${place}" stroke="#ddd"/>${text(LEFT - 8, y.place(tick) + 4, formatY(tick), 'end')}`;
  });
  const marks = x.ticks.map((tick) => text(x.place(tick), bottom + 18, formatX(tick)));
  return [
    text(WIDTH / 2, 22, title, 'middle', '#222'),
    ...rules,
    ...marks,
    text((LEFT + right) / 2, HEIGHT - 10, xTitle),
  ];
}

function line({ points }, colour, x, y) {
  const places = points.map(([px, py]) => [at(x.place(px)), at(y.place(py))]);
  const dots = places.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`);
  const way = places.map((place) => place.join(',')).join(' ');
  return `<polyline points="${way}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`;
}

function labels(series, y) {
  const wanted = series.map(({ name, points }, index) => ({ name, index, place: y.place(points.at(-1)[1]) + 4 }));
  let free = 0;
  return wanted
    .sort((one, other) => one.place - other.place)
    .map(({ name, index, place }) => {
      const own = Math.max(place, free);
      free = own + LABEL_HEIGHT;
      return text(WIDTH - RIGHT + 8, own, name, 'start', COLOURS[index % COLOURS.length]);
    });
}

/** `series`: `{ name, points: [[x, y], …] }`, each with at least one point. */
export function lineChart({ title, xTitle, xBase, series, formatX, formatY }) {
  const points = series.flatMap((each) => each.points);
  const x = createScale(
    points.map(([value]) => value),
    xBase,
    LEFT,
    WIDTH - RIGHT,
  );
  const y = createScale(
    points.map(([, value]) => value),
    10,
    HEIGHT - BOTTOM,
    TOP,
  );
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...axes({ x, y, formatX, formatY, title, xTitle }),
    ...series.map((each, index) => line(each, COLOURS[index % COLOURS.length], x, y)),
    ...labels(series, y),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}
