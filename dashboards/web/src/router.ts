/** Places of the page. Hash addresses, so that the gateway serves one file and every place can be a link. */
import { createRouter, createWebHashHistory } from "vue-router";
import AlarmsPage from "./pages/AlarmsPage.vue";
import NotFoundPage from "./pages/NotFoundPage.vue";
import OverviewPage from "./pages/OverviewPage.vue";

export const PLACES = ["overview", "alarms", "trend", "register", "duties", "response", "push", "rules", "field", "drill", "flow", "roster", "handover", "kpi", "people", "audit"] as const;
export type Place = (typeof PLACES)[number];

const PHONE = "(max-width: 767px)";

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    // On a phone the alarm panel is the first screen.
    { path: "/", redirect: () => (window.matchMedia(PHONE).matches ? "/alarms" : "/overview") },
    { path: "/overview", name: "overview", component: OverviewPage },
    { path: "/overview/:unit", name: "unit", component: () => import("./pages/UnitPage.vue"), meta: { place: "overview" } },
    { path: "/alarms", name: "alarms", component: AlarmsPage },
    { path: "/trend", name: "trend", component: () => import("./pages/TrendPage.vue") },
    { path: "/register", name: "register", component: () => import("./pages/RegisterPage.vue") },
    { path: "/register/:ledger", name: "registerLedger", component: () => import("./pages/RegisterPage.vue"), meta: { place: "register" } },
    { path: "/check/:record", name: "check", component: () => import("./pages/CheckPage.vue"), meta: { place: "duties" } },
    { path: "/commitment", name: "commitment", component: () => import("./pages/CommitmentPage.vue"), meta: { place: "duties" } },
    { path: "/duties", name: "duties", component: () => import("./pages/DutiesPage.vue") },
    { path: "/response", name: "response", component: () => import("./pages/ResponsePage.vue") },
    { path: "/push", name: "push", component: () => import("./pages/PushPage.vue") },
    { path: "/push/ledger", name: "ledger", component: () => import("./pages/LedgerPage.vue"), meta: { place: "push" } },
    { path: "/push/exchange", name: "exchange", component: () => import("./pages/ExchangePage.vue"), meta: { place: "push" } },
    { path: "/channels", name: "channels", component: () => import("./pages/ChannelsPage.vue"), meta: { place: "push" } },
    { path: "/rules", name: "rules", component: () => import("./pages/RulesPage.vue") },
    { path: "/field", name: "field", component: () => import("./pages/FieldPage.vue") },
    { path: "/drill", name: "drill", component: () => import("./pages/DrillPage.vue") },
    { path: "/flow", name: "flow", component: () => import("./pages/FlowPage.vue") },
    { path: "/roster", name: "roster", component: () => import("./pages/RosterPage.vue") },
    { path: "/handover", name: "handover", component: () => import("./pages/HandoverPage.vue") },
    { path: "/kpi", name: "kpi", component: () => import("./pages/KpiPage.vue") },
    { path: "/people", name: "people", component: () => import("./pages/PeoplePage.vue") },
    { path: "/audit", name: "audit", component: () => import("./pages/AuditPage.vue") },
    { path: "/account", name: "account", component: () => import("./pages/AccountPage.vue") },
    { path: "/display/:token", name: "display", component: () => import("./pages/DisplayPage.vue") },
    { path: "/:other(.*)*", name: "nowhere", component: NotFoundPage },
  ],
});
