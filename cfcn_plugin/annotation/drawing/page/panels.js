// The toolbar, the line at the top, and the pages of help and summary.
import {ask} from './api.js';
import {paragraph, show} from './dialog.js';
import {COMMANDS, shownKeys} from './keys.js';

const find = id => document.getElementById(id);
const BUTTONS = {  // short labels
  'outline-box': 'Outline: box', 'outline-stroke': 'Outline: stroke', add: 'Add',
  erase: 'Erase', copy: 'Copy before', save: 'Save, next', skip: 'Skip',
  previous: 'Previous', next: 'Next', help: 'Help', finish: 'Finish'};

export function buildToolbar(app) {
  for (const [group, commands] of COMMANDS) {
    const shown = commands.filter(command => command[3]);
    if (!shown.length) continue;
    const box = find('toolbar').appendChild(document.createElement('div'));
    box.append(paragraph(group, 'h3'));
    for (const [keys, label, run, name] of shown) {
      const button = box.appendChild(document.createElement('button'));
      button.id = name;
      button.title = label;
      button.tabIndex = -1;  // each has a key; Enter and space are the image's
      button.append(BUTTONS[name] || label, paragraph(shownKeys(keys.split(' ')[0]), 'kbd'));
      button.addEventListener('click', () => {
        run(app);
        button.blur();
      });
    }
  }
}

export function buildClasses(app, names, colours) {
  names.forEach((name, i) => {
    const button = find('classes').appendChild(document.createElement('button'));
    const dot = button.appendChild(document.createElement('i'));
    dot.style.background = `rgb(${colours[i].slice(0, 3).join()})`;
    button.append(name, paragraph(i < 9 ? i + 1 : '', 'kbd'));
    button.tabIndex = -1;
    button.addEventListener('click', () => app.chooseLabel(i + 1));
  });
}

export function markChosen({toolName, tool, erase, label}) {
  const chosen = toolName === 'outline' ? `outline-${tool.start}` : toolName;
  for (const button of document.querySelectorAll('#toolbar button')) {
    button.classList.toggle('chosen', button.id === chosen ||
                            button.id === (erase ? 'erase' : 'add'));
  }
  [...find('classes').children].forEach(
    (button, i) => button.classList.toggle('chosen', i + 1 === label));
}

export function showImage({overview, index, mask, facts, isLocked}) {
  const notes = [];
  if (mask) {
    notes.push(`${mask.width} × ${mask.height}`,
               `cause ${(100 * mask.area / mask.labels.length).toFixed(1)} %`);
    if (facts.orientation > 1) {
      notes.push(`shown upright: EXIF orientation ${facts.orientation}, the mask is upright`);
    }
    if (isLocked) notes.push('another tab draws here');
    else if (mask.isChanged) notes.push('not saved');
    else if (facts.earlier) notes.push('from an earlier session');
  }
  find('number').textContent = `${index + 1} of ${overview.names.length}`;
  find('caption').textContent = overview.captions[index];
  find('name').textContent = overview.names[index];
  find('facts').textContent = notes.join(' · ');
}

export function showProgress({states, seconds_left: left}) {
  const count = letter => [...states].filter(one => one === letter).length;
  const texts = [`${count('d')} done`, `${count('o')} open`];
  if (count('s')) texts.push(`${count('s')} skipped`);
  if (left !== null && count('o')) texts.push(`about ${duration(left)} left`);
  find('progress').textContent = texts.join(' · ');
  find('bar').max = states.length;
  find('bar').value = states.length - count('o');
}

export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` :
    `${(seconds / 3600).toFixed(1)} h`;
}

export function showHelp() {
  const columns = document.createElement('div');
  columns.className = 'keys';
  for (const [group, commands] of COMMANDS) {
    const table = document.createElement('table');
    table.createCaption().textContent = group;
    let cell;
    for (const [keys, label] of commands) {
      if (label) {
        const row = table.insertRow();
        cell = row.insertCell();
        row.insertCell().textContent = label;
      }  // else the same in another direction
      shownKeys(keys).split(' ').forEach(key => cell.append(paragraph(key, 'kbd'), ' '));
    }
    columns.append(table);
  }
  show('Keys', [columns], [['Escape', 'Back']]);
}

export function showSummary(app, states) {
  const {overview} = app, count = letter => [...states].filter(s => s === letter).length;
  const config = paragraph(overview.config, 'pre');
  show(count('o') ? 'So far' : 'All images are done', [
    paragraph(`${count('d')} of ${states.length} images have a mask; skipped: ` +
              `${count('s')}, open: ${count('o')}. The masks are in ${overview.masks}.`),
    paragraph('In the config:'), config,
    ...count('o') ? [paragraph(
      'Run the same command again to go on with the open images.')] : [],
  ], [['Escape', 'Back to the images'],
      ['w', 'Copy the lines', () => navigator.clipboard.writeText(overview.config)],
      ['q', 'End, and stop the server', () => end(app, config)]]);
}

async function end(app, config) {
  if (!await app.leave()) return;
  app.isEnded = true;
  await ask('stop', {method: 'POST'});
  document.body.replaceChildren(Object.assign(document.createElement('main'), {
    className: 'ended'}));
  document.querySelector('main').append(
    paragraph('The server has stopped', 'h2'),
    paragraph('All that was drawn is saved. This page can be closed.'),
    paragraph('In the config:'), config);
}
