/* The token that the page was given: sent with every request of ours. */
export const csrfHeaders = () => JSON.parse(document.body.getAttribute("hx-headers") || "{}");
