// What the menu holds: pages and resources that the caller may use, by section.

import {
  ApartmentOutlined,
  ApiOutlined,
  BranchesOutlined,
  DashboardOutlined,
  ExperimentOutlined,
  ThunderboltOutlined,
} from "@ant-design/icons-vue";
import type { Component } from "vue";
import { useApis } from "@/api/apis";
import { resources } from "@/resources";
import { t } from "@/messages";

export interface Entry {
  path: string;
  title: string;
  icon: Component;
}

export interface MenuSection {
  name: string;
  title: string;
  entries: Entry[];
}

interface PageEntry {
  section: string;
  path: string;
  icon: Component;
  needs?: string;
}

const PAGES: PageEntry[] = [
  { section: "overview", path: "/dashboard", icon: DashboardOutlined },
  { section: "overview", path: "/topology", icon: ApartmentOutlined, needs: "listTopology" },
  { section: "operations", path: "/trace", icon: BranchesOutlined, needs: "listTraces" },
  { section: "operations", path: "/api", icon: ApiOutlined, needs: "listApis" },
  { section: "simulation", path: "/simulation", icon: ThunderboltOutlined, needs: "updateSimulation" },
  { section: "simulation", path: "/experiments", icon: ExperimentOutlined, needs: "listExperiments" },
];

const SECTIONS = [
  "overview",
  "compute",
  "storage",
  "network",
  "images",
  "infrastructure",
  "offerings",
  "identity",
  "operations",
  "simulation",
];

/** The sections that have entries for this caller. */
export function menuSections(): MenuSection[] {
  const apis = useApis();
  return SECTIONS.map((name) => ({
    name,
    title: t(`shell.sections.${name}`),
    entries: [
      ...PAGES.filter((page) => page.section === name && (!page.needs || apis.can(page.needs))).map(
        (page) => ({
          path: page.path,
          title: t(`shell.pages.${page.path.slice(1)}`),
          icon: page.icon,
        }),
      ),
      ...resources
        .filter((each) => each.section === name && !each.nested && apis.can(each.list.command))
        .map((each) => ({
          path: `/${each.name}`,
          title: t(`resources.plural.${each.name}`),
          icon: each.icon,
        })),
    ],
  })).filter((section) => section.entries.length > 0);
}
