// How the app is built into dist/, and served while it is worked on: `CLOUDSIM=http://127.0.0.1:8080 npm run dev`.

import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import { AntDesignVueResolver } from "unplugin-vue-components/resolvers";
import components from "unplugin-vue-components/vite";
import { defineConfig } from "vitest/config";
import { precompress } from "./precompress";

export default defineConfig({
  base: "./",
  plugins: [
    vue(),
    // <a-button> and the like are imported where they are used, so that a page loads only what it shows
    components({
      dirs: [],
      dts: "components.d.ts",
      resolvers: [AntDesignVueResolver({ importStyle: false })],
    }),
    precompress(),
  ],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  server: { proxy: { "/client/api": process.env.CLOUDSIM ?? "http://127.0.0.1:8080" } },
  build: { target: "es2022", chunkSizeWarningLimit: 1200, reportCompressedSize: false },
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.ts"],
    // a document for each file would take five times as long as all the tests; none leaves anything in it
    isolate: false,
    // not how fast it is is tested, and the machine may have other work
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "threads",
    poolOptions: { threads: { singleThread: true } },
  },
});
