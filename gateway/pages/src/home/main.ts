import { showNeeding } from '../design/show-needing.ts';
import { readStatus, type Status, summaryOf } from '../design/status.ts';
import { ask } from '../graph/send-operation.ts';
import { isUnknownField } from '../graph/graph-errors.ts';

const LOOK_EVERY_MS = 3_000;
const GATEWAY_GONE: Status['parts'] = [
  { name: 'Gateway', state: 'down', says: 'It does not answer. This page asks again by itself.' },
];

function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/** Says it only when it is new: screen readers would read it again each time. */
function say(id: string, text: string): void {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

function showParts(parts: Status['parts']): void {
  const items = parts.map(({ name, state, says }) => {
    const item = document.createElement('li');
    item.className = 'sheet';
    item.dataset['state'] = state;
    const lamp = document.createElement('span');
    lamp.className = 'lamp';
    lamp.dataset['state'] = state;
    const title = document.createElement('div');
    title.className = 'name';
    title.append(lamp, name);
    const text = document.createElement('p');
    text.textContent = says;
    item.append(title, text);
    return item;
  });
  byId('parts').replaceChildren(...items);
}

/** Whether this graph is the shop's: the gateway serves any, and knows no field of it. */
async function showGraph(): Promise<void> {
  const { errors } = await ask('{ stockCursor }');
  const hasStocks = !errors.some(isUnknownField);
  showNeeding('stocks', hasStocks);
  showNeeding('other-graph', !hasStocks);
}

async function look(): Promise<void> {
  try {
    const status = await readStatus();
    showNeeding('explorers', status.explorers);
    showParts(status.parts);
    say('summary', summaryOf(status));
  } catch {
    showParts(GATEWAY_GONE);
    say('summary', 'The gateway does not answer.');
  }
}

async function keepLooking(): Promise<void> {
  if (!document.hidden) await look();
  setTimeout(keepLooking, LOOK_EVERY_MS);
}

say('http-address', `${location.origin}/graphql`);
say('ws-address', `${location.origin.replace('http', 'ws')}/graphql`);
showGraph().catch(() => {
  // Not answered: the page shows that of the gateway, and the links stay.
});
void keepLooking();
