// The steps that undo and redo go through, as text: they are kept beside the draft.

// The steps of a mask next to its state, in at most `most` characters
export function writeSteps({edits, at, savedAt}, most) {
  const texts = edits.map(edit => edit.text ??= JSON.stringify(
    {...edit, words: Array.from(edit.words)}));
  let first = at, end = at, left = most;
  const fits = i => i in texts && (left -= texts[i].length + 1) >= 0;
  while (fits(first - 1)) first--;
  while (fits(end)) end++;
  const saved = savedAt < first || savedAt > end ? -1 : savedAt - first;
  return `{"at": ${at - first}, "savedAt": ${saved}, "edits": [${texts.slice(first, end)}]}`;
}

// The mask has these steps from now on; false if they are none of a mask of its size
export function readSteps(mask, text) {
  try {
    const {edits, at, savedAt} = JSON.parse(text);
    if (!edits.every(edit => isOf(mask, edit)) || !(at in [...edits, null])) return false;
    Object.assign(mask, {edits, at, savedAt});
    return true;
  } catch {
    return false;
  }
}

function isOf({width, height}, {rect: {left, top, right, bottom}, words}) {
  const numbers = [left, top, right, bottom, ...words];
  const pixels = words.reduce((sum, word, i) => sum + (i % 2 ? word : 0), 0);
  return numbers.every(one => Number.isInteger(one) && one >= 0) && left < right &&
    top < bottom && right <= width && bottom <= height && words.length % 2 === 0 &&
    pixels === (right - left) * (bottom - top);
}
