import { html, setAttributes, setText } from './dom.ts';
import { LISTS, type List, type ListSource } from './lists.ts';
import { Table } from './table.ts';

const ALL_NETWORKS = '';

interface Tab {
  readonly list: List;
  readonly button: HTMLButtonElement;
  readonly table: Table;
}

/** The lists, one at a time, of all networks or of one. */
export class ListsView {
  readonly #tabs: readonly Tab[];
  readonly #content = html('div', { class: 'scroll', role: 'tabpanel', id: 'list', tabindex: 0 });
  readonly #networks = html(
    'select',
    { 'aria-label': 'Of which network' },
    html('option', { value: ALL_NETWORKS }, 'all networks'),
  );
  #source: ListSource | undefined;
  #open: Tab;

  constructor(element: HTMLElement) {
    this.#tabs = LISTS.map((list) => this.#makeTab(list));
    this.#open = this.#tabs[0]!;
    this.#networks.addEventListener('change', () => this.#refresh());
    const tabs = html(
      'div',
      { role: 'tablist', 'aria-label': 'Lists' },
      ...this.#tabs.map(({ button }) => button),
    );
    tabs.addEventListener('keydown', (event) => this.#moveOn(event));
    element.append(html('div', { class: 'bar' }, tabs, this.#networks), this.#content);
    this.#choose(this.#open);
  }

  show(source: ListSource): void {
    this.#source = source;
    this.#offer(source.view.status.networks.map(({ name }) => name));
    this.#refresh();
  }

  #makeTab(list: List): Tab {
    const { id, name, columns, empty } = list;
    const attributes = { type: 'button', role: 'tab', id: `tab-${id}`, 'aria-controls': 'list' };
    const tab = {
      list,
      button: html('button', attributes, name),
      table: new Table(columns, empty),
    };
    tab.button.addEventListener('click', () => this.#choose(tab));
    return tab;
  }

  #choose(tab: Tab): void {
    this.#open = tab;
    for (const one of this.#tabs) {
      // One tab is reached by the Tab key, the others by arrows (WAI-ARIA Authoring Practices, tabs).
      const isOpen = one === tab;
      setAttributes(one.button, { 'aria-selected': String(isOpen), tabindex: isOpen ? 0 : -1 });
    }
    setAttributes(this.#content, { 'aria-labelledby': tab.button.id });
    this.#content.replaceChildren(tab.table.element);
    this.#refresh();
  }

  #moveOn(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const at = this.#tabs.indexOf(this.#open);
    const next = this.#tabs.at((at + step) % this.#tabs.length)!;
    this.#choose(next);
    next.button.focus();
    event.preventDefault();
  }

  #refresh(): void {
    const source = this.#source;
    if (source === undefined) return;
    const network = this.#networks.value;
    for (const { list, button, table } of this.#tabs) {
      const rows = list
        .rows(source)
        .filter((row) => network === ALL_NETWORKS || row.network === network);
      setText(button, `${list.name} ${rows.length}`);
      if (list === this.#open.list) table.show(rows);
    }
  }

  #offer(names: readonly string[]): void {
    const offered = [...this.#networks.options].slice(1).map(({ value }) => value);
    if (offered.join('\n') === names.join('\n')) return;
    const chosen = this.#networks.value;
    const options = names.map((name) => html('option', { value: name }, name));
    this.#networks.replaceChildren(this.#networks.options[0]!, ...options);
    this.#networks.value = names.includes(chosen) ? chosen : ALL_NETWORKS;
  }
}
