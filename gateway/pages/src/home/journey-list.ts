import { describeOrders, fetchJourneys } from './fetch-journeys.ts';
import { formatTime, type Journey, nextStep, scaleOf, totalOf } from './journeys.ts';

/** Number of orders in the list. */
const SHOWN = 8;
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/**
 * Shows the journeys of the newest orders in the list, or a sentence that says why there are none. If
 * they are not available now, what is shown stays.
 */
export async function showJourneys(list: HTMLElement, note: HTMLElement): Promise<void> {
  const answer = await fetchJourneys();
  if (answer === undefined) return;
  const isSignedOut = answer === 'sign in';
  const { steps, journeys } = isSignedOut ? { steps: [], journeys: [] } : answer;
  const shown = journeys.slice(0, SHOWN);
  note.textContent = isSignedOut
    ? 'Sign in on the live page to see them.'
    : shown.length === 0
      ? 'No orders since the start. Place one on the live page.'
      : 'From the request to the clients that watch.';
  const nameOf = await describeOrders(shown.map(({ id }) => id));
  const full = scaleOf(shown);
  const rows = shown.map((journey) =>
    createRow(journey, { name: nameOf(journey.id), steps, full }),
  );
  // The list is replaced only if it differs, so that a selection in it stays.
  const isSame =
    rows.length === list.children.length &&
    rows.every((row, index) => list.children[index]?.isEqualNode(row));
  if (!isSame) list.replaceChildren(...rows);
}

interface Row {
  readonly name: string;
  readonly steps: readonly string[];
  /** Time of the full width of a bar, in ms. */
  readonly full: number;
}

function createRow(journey: Journey, { name, steps, full }: Row): HTMLElement {
  const row = create('li', 'journey');
  row.dataset['order'] = journey.id;
  const head = create('div', 'head');
  const time = create('time', 'soft number', clock.format(new Date(journey.at)));
  time.setAttribute('datetime', journey.at);
  const total = create('span', 'number total', formatTime(totalOf(journey)));
  head.append(create('strong', '', name), time, total);

  const bar = create('div', 'bar');
  bar.setAttribute('aria-hidden', 'true');
  const list = create('dl', 'steps');
  for (const step of journey.steps) {
    const color = String(steps.indexOf(step.name));
    const part = create('i', '');
    part.dataset['step'] = color;
    part.style.insetInlineStart = percent(step.from / full);
    part.style.inlineSize = percent(
      Math.min(step.to, full) / full - Math.min(step.from, full) / full,
    );
    bar.append(part);
    const item = create('div', '');
    item.dataset['step'] = color;
    item.append(
      create('dt', '', step.name),
      create('dd', 'number', formatTime(step.to - step.from)),
    );
    list.append(item);
  }
  if (totalOf(journey) > full) bar.dataset['cut'] = 'true';
  row.append(head, bar, list);
  const next = nextStep(journey, steps);
  if (next) row.append(create('p', 'waits', `Waits to be ${next}.`));
  return row;
}

function percent(part: number): string {
  return `${(Math.max(0, Math.min(1, part)) * 100).toFixed(2)}%`;
}

function create(name: string, className: string, text = ''): HTMLElement {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}
