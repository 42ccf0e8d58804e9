/**
 * GraphiQL's tabs each hold the button that closes them, which screen readers cannot reach in a
 * `tab`: so they are told of a list of buttons instead, of which one is the current.
 */
export function keepTabsPlain(root: Element): void {
  const mend = (): void => {
    for (const list of root.querySelectorAll('.graphiql-tabs[role]')) list.removeAttribute('role');
    for (const tab of root.querySelectorAll('.graphiql-tab')) {
      const selected = tab.getAttribute('aria-selected');
      tab.removeAttribute('role');
      if (selected === null) continue;
      tab.removeAttribute('aria-selected');
      tab.querySelector('.graphiql-tab-button')?.setAttribute('aria-current', selected);
    }
  };
  new MutationObserver(mend).observe(root, {
    subtree: true,
    childList: true,
    attributeFilter: ['aria-selected', 'role'],
  });
}
