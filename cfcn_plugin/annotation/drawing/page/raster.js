// Shapes to pixels, by the rules of cfcn_plugin.masks.io.shapes: a pixel is inside if
// its centre is. Shapes call span(row, x0, x1) for the pixels x0 <= x < x1 of a row.

export function polygonSpans(points, width, height, span) {
  if (points.length < 3) return;
  const ys = points.map(p => p[1]);
  const least = ys.reduce((a, b) => Math.min(a, b));
  const most = ys.reduce((a, b) => Math.max(a, b));
  const first = clamp(Math.ceil(least - 0.5), 0, height);
  const last = clamp(Math.ceil(most - 0.5), 0, height);
  const rows = Array.from({length: Math.max(0, last - first)}, () => []);
  points.forEach(([x, y], i) => {
    const [xNext, yNext] = points[(i + 1) % points.length];
    if (y === yNext) return;
    const low = Math.max(first, Math.ceil(Math.min(y, yNext) - 0.5));
    const high = Math.min(last, Math.ceil(Math.max(y, yNext) - 0.5));
    for (let row = low; row < high; row++) {
      const along = (row + 0.5 - y) / (yNext - y);
      const column = clamp(Math.ceil(x + along * (xNext - x) - 0.5), 0, width);
      rows[row - first].push([column, y < yNext ? 1 : -1]);
    }
  });
  rows.forEach((crossings, i) => {
    crossings.sort((a, b) => a[0] - b[0]);
    let winding = 0;  // nonzero rule: a line that goes on past its start leaves no hole
    crossings.forEach(([column, turn], k) => {
      winding += turn;
      if (winding !== 0 && k + 1 < crossings.length && crossings[k + 1][0] > column) {
        span(first + i, column, crossings[k + 1][0]);
      }
    });
  });
}

// The pixels within `radius` of a line from a to b; its pixels at least.
export function segmentSpans(a, b, radius, width, height, span) {
  for (const [x, y] of [a, b]) {
    const row = Math.floor(y), column = Math.floor(x);
    if (row >= 0 && row < height && column >= 0 && column < width) {
      span(row, column, column + 1);
    }
  }
  const dx = b[0] - a[0], dy = b[1] - a[1], length = dx * dx + dy * dy;
  const inside = (column, row) => {
    const px = column + 0.5 - a[0], py = row + 0.5 - a[1];
    const along = length === 0 ? 0 : clamp((px * dx + py * dy) / length, 0, 1);
    return Math.hypot(px - along * dx, py - along * dy) <= radius;
  };
  const top = clamp(Math.floor(Math.min(a[1], b[1]) - radius), 0, height);
  const bottom = clamp(Math.ceil(Math.max(a[1], b[1]) + radius), 0, height);
  const left = clamp(Math.floor(Math.min(a[0], b[0]) - radius), 0, width);
  const right = clamp(Math.ceil(Math.max(a[0], b[0]) + radius), 0, width);
  for (let row = top; row < bottom; row++) {  // the shape is convex: one span a row
    let x0 = left, x1 = right;
    while (x0 < x1 && !inside(x0, row)) x0++;
    while (x1 > x0 && !inside(x1 - 1, row)) x1--;
    if (x0 < x1) span(row, x0, x1);
  }
}

export function decodeRuns(buffer, size) {
  const words = new Uint32Array(buffer), labels = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < words.length; i += 2) {
    if (words[i]) labels.fill(words[i], at, at + words[i + 1]);
    at += words[i + 1];
  }
  return labels;
}

export function encodeRuns(labels) {
  const words = [];
  for (let at = 0; at < labels.length;) {
    const end = runEnd(labels, at);
    words.push(labels[at], end - at);
    at = end;
  }
  return new Uint32Array(words);
}

export function runEnd(labels, at) {
  const value = labels[at];
  let end = at + 1;
  while (end < labels.length && labels[end] === value) end++;
  return end;
}

export function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
