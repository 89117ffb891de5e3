import { html } from "./html";

/** Bulkhead's mark: a hull with its compartments, one of them flooded. */
export const MARK = html`<svg class="icon" viewBox="0 0 32 32" aria-hidden="true">
<path class="flood" d="M3 12h8v15.4C6.6 25 3.6 20 3 12z"/>
<path d="M3 10h26c0 10.5-4.5 17.5-13 18.5C7.5 27.5 3 20.5 3 10z"/>
<path d="M11.5 10v16.6M20.5 10v16.6"/></svg>`;
