// Questions and pages over the canvas. A letter, or Escape, answers.

const element = document.querySelector('dialog');

export const isOpen = () => element.open;

// content: nodes or texts; choices: [[key, label, run], ...]; the first is Enter as well
export function show(title, content, choices) {
  if (element.open) element.close();
  const heading = document.createElement('h2');
  heading.textContent = title;
  const buttons = document.createElement('p');
  buttons.className = 'choices';
  const answer = run => {
    element.close();
    run?.();
  };
  for (const [key, label, run] of choices) {
    const button = buttons.appendChild(document.createElement('button'));
    button.append(`${label} `, Object.assign(document.createElement('kbd'), {
      textContent: key}));
    button.addEventListener('click', () => answer(run));
  }
  element.replaceChildren(heading, ...content, buttons);
  element.onkeydown = event => {
    event.stopPropagation();
    const isText = event.target.tagName === 'INPUT' && event.key !== 'Enter';
    const name = event.key === 'Enter' ? choices[0][0] : event.key;
    const choice = choices.find(([key]) => key.toLowerCase() === name.toLowerCase());
    if (!choice || isText && event.key !== 'Escape') return;
    event.preventDefault();
    answer(choice[2]);
  };
  element.showModal();
  (element.querySelector('input') || buttons.firstChild).focus();
}

export function paragraph(text, tag = 'p') {
  return Object.assign(document.createElement(tag), {textContent: text});
}
