// What Ant Design Vue leaves out for those who use a keyboard or a screen reader: names and states of its selects and
// menus, and menus that are walked through with the arrow keys.

import { t } from "@/messages";

function set(element: Element, name: string, value: string | null): void {
  if (element.getAttribute(name) !== value) {
    if (value === null) {
      element.removeAttribute(name);
    } else {
      element.setAttribute(name, value);
    }
  }
}

/** A select's input is what has the focus: it gets the select's name, and says whether the list is open. */
function nameSelects(): void {
  for (const input of document.querySelectorAll<HTMLInputElement>(".ant-select input[role=combobox]")) {
    const select = input.closest(".ant-select")!;
    const listed = input.getAttribute("aria-owns") ?? `${input.id}_list`;
    const open = select.classList.contains("ant-select-open") && document.getElementById(listed) !== null;
    set(input, "aria-expanded", String(open));
    set(input, "aria-controls", open ? listed : null);
    set(input, "aria-owns", open ? listed : null);
    set(input, "aria-activedescendant", open ? input.getAttribute("aria-activedescendant") : null);
    if (
      !input.getAttribute("aria-label") &&
      !document.querySelector(`label[for="${CSS.escape(input.id)}"]`)
    ) {
      const placeholder = select.querySelector(".ant-select-selection-placeholder")?.textContent;
      const inside = select.closest("label")?.textContent;
      set(
        input,
        "aria-label",
        select.getAttribute("aria-label") ?? inside ?? placeholder ?? t("engine.choose"),
      );
    }
    // a name on something without a role is not allowed, and has been handed on; so is that it is required
    if (!select.getAttribute("role")) {
      set(select, "aria-label", null);
      if (select.getAttribute("aria-required")) {
        set(input, "aria-required", select.getAttribute("aria-required"));
        set(select, "aria-required", null);
      }
    }
  }
}

/** The main menu is navigation: lists of links, with sections that open and close. */
function nameNavigation(): void {
  for (const element of document.querySelectorAll("nav .ant-menu, nav .ant-menu li")) {
    set(element, "role", null);
  }
  for (const title of document.querySelectorAll("nav .ant-menu-submenu-title")) {
    set(title, "role", "button");
    set(title, "tabindex", "0");
    set(title, "aria-haspopup", null);
    const section = title.getAttribute("aria-controls");
    if (section && document.getElementById(section) === null) {
      set(title, "aria-controls", null);
    }
  }
  for (const item of document.querySelectorAll("nav .ant-menu-item[tabindex]")) {
    set(item, "tabindex", null);
  }
}

function nameTheRest(): void {
  for (const icon of document.querySelectorAll(".anticon[role=presentation][aria-label]")) {
    set(icon, "aria-label", null);
  }
  for (const button of document.querySelectorAll(".ant-input-search-button:not([aria-label])")) {
    set(button, "aria-label", t("engine.search"));
  }
  // an icon's own name ("cloud-server") says nothing beside the words that it adorns
  for (const icon of document.querySelectorAll(".anticon[role=img][aria-label]")) {
    const button = icon.closest("button, a");
    const alone = button !== null && !button.textContent?.trim() && !button.getAttribute("aria-label");
    if (!alone && icon.classList.contains(`anticon-${icon.getAttribute("aria-label")}`)) {
      set(icon, "aria-label", null);
      set(icon, "role", null);
      set(icon, "aria-hidden", "true");
    }
  }
  for (const input of document.querySelectorAll(".ant-pagination-simple-pager input:not([aria-label])")) {
    set(input, "aria-label", t("engine.page"));
  }
  // what scrolls sideways can be scrolled with the arrow keys
  for (const table of document.querySelectorAll<HTMLElement>(
    ".ant-table-content, .ant-table-body, .scroll-sideways",
  )) {
    const scrolls = table.scrollWidth > table.clientWidth;
    set(table, "tabindex", scrolls ? "0" : null);
    set(table, "role", scrolls ? "group" : null);
    set(table, "aria-label", scrolls ? t("engine.scrolls") : null);
  }
}

const ITEM =
  ".ant-dropdown-menu-item:not(.ant-dropdown-menu-item-disabled), .ant-dropdown-menu-submenu-title";

function visibleMenu(): HTMLElement | undefined {
  const open = document.querySelectorAll<HTMLElement>(
    ".ant-dropdown:not(.ant-dropdown-hidden) .ant-dropdown-menu",
  );
  return [...open].find((menu) => menu.offsetParent !== null);
}

/** Arrows walk through an open menu, Enter chooses, Escape closes; Enter opens a section of the main menu. */
function walk(event: KeyboardEvent): void {
  const at = document.activeElement as HTMLElement | null;
  if (!at) {
    return;
  }
  if (at.matches("nav .ant-menu-submenu-title") && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    at.click();
    return;
  }
  const inside = at.closest(".ant-dropdown-menu");
  const menu =
    (inside as HTMLElement | null) ?? (at.matches(".ant-dropdown-trigger") ? visibleMenu() : undefined);
  if (!menu) {
    return;
  }
  const items = [...menu.querySelectorAll<HTMLElement>(ITEM)].filter((item) => item.offsetParent !== null);
  const index = items.indexOf(at.closest<HTMLElement>(ITEM) ?? at);
  const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to !== undefined && items.length > 0) {
    event.preventDefault();
    const next = items[(to + items.length) % items.length];
    next.tabIndex = -1;
    next.focus();
  } else if (inside && (event.key === "Enter" || event.key === " " || event.key === "ArrowRight")) {
    event.preventDefault();
    const section = at.closest(".ant-dropdown-menu-submenu-title");
    if (section) {
      section.parentElement?.dispatchEvent(new MouseEvent("mouseenter", { bubbles: false }));
    } else if (event.key !== "ArrowRight") {
      at.click();
    }
  } else if (event.key === "Escape") {
    const trigger = document.querySelector<HTMLElement>(".ant-dropdown-trigger.ant-dropdown-open");
    trigger?.click();
    trigger?.focus();
  }
}

/** Look after the page from now on. */
export function makeAccessible(): void {
  let soon = 0;
  const look = (): void => {
    soon ||= requestAnimationFrame(() => {
      soon = 0;
      nameSelects();
      nameNavigation();
      nameTheRest();
    });
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  for (const event of ["click", "focusin", "focusout", "keyup"]) {
    document.addEventListener(event, look);
  }
  document.addEventListener("keydown", walk);
}
