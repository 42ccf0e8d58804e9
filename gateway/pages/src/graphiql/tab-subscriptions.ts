import type { Fetcher, FetcherParams } from '@graphiql/toolkit';
import { getOperationAST, OperationTypeNode, parse, print, separateOperations } from 'graphql';
import { type Sink, TabSubscription } from './tab-subscription.ts';

/** Starts a subscription: a text of one operation. @returns a function that stops it */
export type Subscribe = (
  operation: Pick<FetcherParams, 'query' | 'variables'>,
  headers: Readonly<Record<string, unknown>>,
  sink: Sink,
) => () => void;

/** The tabs of GraphiQL, as it reports them. */
export interface Tabs {
  readonly tabs: readonly { readonly id: string }[];
  readonly activeTabIndex: number;
}

/** A subscription in a tab that is not shown. */
export interface HiddenSubscription {
  readonly tab: string;
  /** Number of results since the subscription was started. */
  readonly results: number;
  readonly hasEnded: boolean;
}

/**
 * Keeps the subscriptions of hidden tabs running. GraphiQL runs one operation at a time: it stops a
 * subscription when another tab is shown. This class then lets the subscription run, and passes its
 * newest result to GraphiQL when its tab is shown again.
 */
export class TabSubscriptions {
  readonly #fetch: Fetcher;
  readonly #start: Subscribe;
  readonly #running = new Map<string, TabSubscription>();
  readonly #listeners = new Set<() => void>();
  #tabs: readonly string[] = [];
  #shown = '';
  #isResuming = false;
  #hidden: readonly HiddenSubscription[] = [];

  /**
   * @param fetch sends queries and mutations
   * @param start starts subscriptions
   */
  constructor(fetch: Fetcher, start: Subscribe) {
    this.#fetch = fetch;
    this.#start = start;
  }

  /** The fetcher for GraphiQL. */
  readonly fetcher: Fetcher = (operation, options) => {
    const before = this.#running.get(this.#shown);
    if (this.#isResuming && before) {
      before.isAwaited = true;
      return before.results;
    }
    const subscription = asSubscription(operation);
    if (!subscription) return this.#fetch(operation, options);
    before?.stop();
    return this.#add(this.#shown, (sink) => this.#start(subscription, options?.headers ?? {}, sink))
      .results;
  };

  #add(tab: string, start: (sink: Sink) => () => void): TabSubscription {
    const added: TabSubscription = new TabSubscription({
      start,
      isShown: () => this.#shown === tab,
      onDetached: () => this.#settle(tab, added),
      onHiddenResult: () => this.#publish(),
      onEnd: () => {
        if (this.#running.get(tab) === added) this.#running.delete(tab);
        this.#publish();
      },
    });
    this.#running.set(tab, added);
    return added;
  }

  /** Call it whenever GraphiQL reports its tabs. */
  readonly setTabs = ({ tabs, activeTabIndex }: Tabs): void => {
    this.#tabs = tabs.map(({ id }) => id);
    this.#shown = this.#tabs[activeTabIndex] ?? '';
    for (const [tab, running] of this.#running) if (!this.#tabs.includes(tab)) running.stop();
    this.#publish();
  };

  /**
   * Call it after another tab is shown: resumes this tab's subscription.
   * @param actions GraphiQL's actions. `run` runs the operation in the editor.
   */
  tabShown({ stop, run }: { readonly stop: () => void; readonly run: () => unknown }): void {
    // GraphiQL stops the subscription of the earlier tab, except if the tab is new.
    for (const [tab, { isAttached }] of this.#running)
      if (tab !== this.#shown && isAttached) stop();
    const running = this.#running.get(this.#shown);
    if (!running || running.isAttached || running.isAwaited) return;
    this.#isResuming = true;
    void run();
    this.#isResuming = false;
    // With invalid variables or headers in the editor, GraphiQL shows an error and runs nothing.
    if (!running.isAwaited) running.stop();
  }

  /** The subscriptions of hidden tabs. The array is replaced when it changes. */
  readonly hidden = (): readonly HiddenSubscription[] => this.#hidden;

  /** @returns a function that unsubscribes */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Decides what becomes of a subscription that GraphiQL has left. */
  #settle(tab: string, left: TabSubscription): void {
    if (left.isAttached || this.#running.get(tab) !== left) return;
    if (this.#shown === tab) left.stop();
    else this.#publish();
  }

  #publish(): void {
    const hidden = [...this.#running].flatMap(([tab, { count, hasEnded }]) =>
      tab === this.#shown ? [] : [{ tab, results: count, hasEnded }],
    );
    if (hidden.length === 0 && this.#hidden.length === 0) return;
    this.#hidden = hidden;
    for (const listener of this.#listeners) listener();
  }
}

/**
 * Returns the operation if it is a subscription, without the other operations of the text. GraphiQL
 * knows an operation's name only some time after the tab is changed, so a name that is not in the
 * text counts as none.
 */
function asSubscription({ query, variables, operationName }: FetcherParams) {
  try {
    const document = parse(query);
    const found = getOperationAST(document, operationName) ?? getOperationAST(document);
    if (found?.operation !== OperationTypeNode.SUBSCRIPTION) return undefined;
    const alone = separateOperations(document)[found.name?.value ?? ''];
    const isAlone = alone?.definitions.length === document.definitions.length;
    return { query: alone && !isAlone ? print(alone) : query, variables };
  } catch {
    // The server describes the error in the text.
    return undefined;
  }
}
