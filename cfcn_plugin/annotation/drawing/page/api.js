// Requests to the server. Nothing is given up: a lost connection is told, and comes back.

export class Offline extends Error {}
export class Problem extends Error {}          // the message is for a person
export class Refused extends Error {           // reason: taken, changed, earlier
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

// A refresh keeps the name of the tab. A copy of a tab, which has a copy of the storage,
// finds none there: a tab's name lies there only while the tab is being loaded anew.
export const tab = sessionStorage.getItem('tab') || crypto.getRandomValues(
  new Uint32Array(2)).join('-');
sessionStorage.removeItem('tab');
addEventListener('pagehide', () => sessionStorage.setItem('tab', tab));
addEventListener('pageshow', () => sessionStorage.removeItem('tab'));

export async function ask(path, {method = 'GET', body, keepalive, ...query} = {}) {
  const search = new URLSearchParams({tab, ...query});
  let answer;
  try {
    answer = await fetch(`${path}?${search}`, {method, body, keepalive});
  } catch {
    throw new Offline('the server does not answer');
  }
  // 403: the server was started anew; once its new address was opened in this browser,
  // this tab may go on
  if (answer.status === 403) throw new Offline('the server was started anew');
  if (answer.status === 409) throw new Refused((await answer.json()).reason);
  if (!answer.ok) {
    throw new Problem((await answer.json().catch(() => ({}))).error || answer.statusText);
  }
  return answer;
}

export async function askJson(path, options) {
  return (await ask(path, options)).json();
}

// Facts of the header, and the bytes: runs, and after them steps if `facts.runs` says so
export async function askRuns(path, options) {
  const answer = await ask(path, options), content = await answer.arrayBuffer();
  const facts = JSON.parse(answer.headers.get('X-Facts'));
  const {runs = content.byteLength} = facts;
  return {facts, runs: content.slice(0, runs),
          steps: new TextDecoder().decode(content.slice(runs))};
}
