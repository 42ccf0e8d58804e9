import { graphExamples } from '../examples/graph-examples.ts';

/** What Apollo's script puts into the page, as far as it is used here. */
declare global {
  interface Window {
    EmbeddedSandbox?: new (options: {
      target: string;
      initialEndpoint: string;
      initialSubscriptionEndpoint: string;
      initialState: { document?: string; variables?: Record<string, unknown> };
      endpointIsEditable: boolean;
      hideCookieToggle: boolean;
      runTelemetry: boolean;
      /** False: no inline styles, which the page's policy forbids. */
      allowDynamicStyles: boolean;
    }) => object;
  }
}

/** The same that Apollo Server's own landing page loads. */
const SCRIPT =
  'https://embeddable-sandbox.cdn.apollographql.com/v2/embeddable-sandbox.umd.production.min.js';

function load(source: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = source;
    script.onload = () => resolve();
    script.onerror = () => reject(new Error('it could not be loaded'));
    document.head.append(script);
  });
}

async function openSandbox(): Promise<void> {
  const [examples] = await Promise.all([graphExamples(), load(SCRIPT)]);
  if (!window.EmbeddedSandbox) throw new Error('it is not what was expected');
  const variables = examples.find((example) => example.variables)?.variables;
  new window.EmbeddedSandbox({
    target: '#sandbox',
    initialEndpoint: `${location.origin}/graphql`,
    initialSubscriptionEndpoint: `${location.origin.replace('http', 'ws')}/graphql`,
    initialState: {
      document: examples.map(({ query }) => query).join('\n\n'),
      ...(variables ? { variables: JSON.parse(variables) } : {}),
    },
    endpointIsEditable: false,
    hideCookieToggle: true,
    runTelemetry: false,
    allowDynamicStyles: false,
  });
  const fallback = document.getElementById('fallback');
  if (fallback) fallback.hidden = true;
}

openSandbox().catch(() => {
  const state = document.getElementById('state');
  if (state)
    state.textContent = 'Sandbox comes from Apollo’s servers, which cannot be reached from here.';
});
