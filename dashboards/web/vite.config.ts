import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

// `npm run dev` forwards the API of a running gateway: FENGSUI_GATEWAY=http://127.0.0.1:8080 npm run dev
const environment = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env ?? {};
const gateway = environment["FENGSUI_GATEWAY"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [vue()],
  // Relative, so that the page also works behind a proxy that puts it below a path.
  base: "./",
  define: {
    __VUE_OPTIONS_API__: "false",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
    __VUE_I18N_FULL_INSTALL__: "false",
    __VUE_I18N_LEGACY_API__: "false",
    __INTLIFY_PROD_DEVTOOLS__: "false",
  },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // Everything is a file of our own origin, never a data: script or style: the gateway's CSP stays strict.
    assetsInlineLimit: 0,
    target: "es2022",
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: {
      "/api": { target: gateway, ws: true },
      "/login": { target: gateway },
      "/health": { target: gateway },
    },
  },
});
