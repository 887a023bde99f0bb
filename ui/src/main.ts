// Where the app begins. It is a client of the public API and of nothing else: what it does, curl can do.
//
//   api/        calls, sign-in, jobs, the change feed, what the API says of itself
//   shell/      what is around every page: menu, header, theme, notifications
//   resources/  lists, details, forms and actions, made from one declaration for each resource
//   wizards/    forms made by hand where people need guidance
//   pages/      everything else, a folder a page, loaded when first opened
//   messages/   every text, by language

import "ant-design-vue/dist/reset.css";
import "./shell/shell.css";
import { createPinia } from "pinia";
import { createApp } from "vue";
import { messages } from "./messages";
import { router } from "./router";
import { makeAccessible } from "./shell/accessible";
import App from "./shell/App.vue";

createApp(App).use(createPinia()).use(router).use(messages).mount("#app");
makeAccessible();
