/** Shows or hides what is of use only where there is something: elements with `data-needs`. */
export function showNeeding(need: string, there: boolean): void {
  for (const element of document.querySelectorAll<HTMLElement>(`[data-needs="${need}"]`)) {
    element.hidden = !there;
  }
}
