import { EventSource } from 'eventsource'; // not needed in browsers
import { STOCK_CHANGED, type StockChange } from './stock-changed.ts';

/** EventSource resumes from the id of the last event, which is the event's cursor. */
export function watchWithEventSource(
  url: string,
  after: string,
  show: (change: StockChange) => void,
): () => void {
  const address = new URL(url);
  address.searchParams.set('query', STOCK_CHANGED);
  address.searchParams.set('variables', JSON.stringify({ after }));
  const source = new EventSource(address);
  source.addEventListener('next', ({ data }) => show(JSON.parse(data).data.stockChanged));
  source.addEventListener('complete', () => source.close());
  return () => source.close();
}
