import { fetchStatus, type Parts, showElementsNeeding, summaryOf } from '../design/status.ts';
import { isUnknownField } from '../graph/graph-errors.ts';
import { sendOperation } from '../graph/send-operation.ts';
import { showJourneys } from './journey-list.ts';

const REFRESH_MS = 5_000;
const GATEWAY_DOWN: Parts = [
  {
    id: 'gateway',
    name: 'Gateway',
    state: 'down',
    says: 'It does not answer. This page keeps trying.',
  },
];

function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no #${id}`);
  return element;
}

/** Sets a text only if it differs, because screen readers read it aloud on each change. */
function setText(id: string, text: string): void {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

function showParts(parts: Parts): void {
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

/**
 * Shows only the sections that the graph supports, because the gateway may serve a graph without
 * stocks.
 */
async function showGraph(): Promise<void> {
  const { errors } = await sendOperation('{ stockCursor }');
  const hasStocks = !errors.some(isUnknownField);
  showElementsNeeding('stocks', hasStocks);
  showElementsNeeding('other-graph', !hasStocks);
}

/** Shows the states of all parts. Returns false if they are not public, so that they need no refresh. */
async function showStatus(): Promise<boolean> {
  try {
    const { explorers, parts, journeys = false } = await fetchStatus();
    showElementsNeeding('explorers', explorers);
    showElementsNeeding('status', parts !== undefined);
    if (journeys) await showJourneys(byId('journeys-list'), byId('journeys-note'));
    showElementsNeeding('journeys', journeys);
    if (!parts) return false;
    showParts(parts);
    setText('summary', summaryOf(parts));
  } catch {
    showParts(GATEWAY_DOWN);
    setText('summary', 'The gateway does not answer.');
  }
  return true;
}

async function refresh(): Promise<void> {
  if (document.hidden || (await showStatus())) setTimeout(refresh, REFRESH_MS);
}

setText('http-address', `${location.origin}/graphql`);
setText('ws-address', `${location.origin.replace('http', 'ws')}/graphql`);
showGraph().catch(() => {
  // If the gateway does not answer, showStatus() reports it, and the links stay visible.
});
void refresh();
