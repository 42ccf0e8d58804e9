import { loadExamples } from '../examples/examples.ts';

/** The part of Apollo's script that this page uses. */
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
      /** Must be false: the page's content security policy forbids inline styles. */
      allowDynamicStyles: boolean;
    }) => object;
  }
}

/** The script that Apollo Server's landing page loads. */
const SCRIPT =
  'https://embeddable-sandbox.cdn.apollographql.com/v2/embeddable-sandbox.umd.production.min.js';

function load(source: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = source;
    script.onload = () => resolve();
    script.onerror = () => reject(new Error(`${source} could not be loaded`));
    document.head.append(script);
  });
}

async function openSandbox(): Promise<void> {
  const [examples] = await Promise.all([loadExamples(), load(SCRIPT)]);
  if (!window.EmbeddedSandbox) throw new Error('The script defines no EmbeddedSandbox');
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
    state.textContent =
      'Sandbox is loaded from Apollo’s servers, which cannot be reached from here.';
});
