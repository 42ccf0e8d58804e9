/** As much of a browser's document as React needs to run hooks of components that render nothing. */
export function createFakeDocument(): { readonly window: object; readonly container: Element } {
  const target = { addEventListener() {}, removeEventListener() {} };
  const document = { ...target, nodeType: 9, activeElement: null };
  const window = { ...target, document, event: undefined, HTMLIFrameElement: class {} };
  Object.assign(document, { defaultView: window });
  const container = {
    ...target,
    nodeType: 1,
    nodeName: 'DIV',
    tagName: 'DIV',
    namespaceURI: 'http://www.w3.org/1999/xhtml',
    textContent: '',
    ownerDocument: document,
  };
  return { window, container: container as unknown as Element };
}
