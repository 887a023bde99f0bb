// What a VPC has besides its tiers: private gateways, static routes, VPN gateways and connections; and VPN of networks.

import {
  CloudServerOutlined,
  GatewayOutlined,
  LockOutlined,
  NodeIndexOutlined,
  SafetyOutlined,
  SyncOutlined,
  UserOutlined,
  UserSwitchOutlined,
} from "@ant-design/icons-vue";
import type { FormField, Resource } from "../declaration";
import { create, remove, update } from "./parts/actions";
import * as column from "./parts/columns";

const privateGateway: Resource = {
  name: "privategateway",
  section: "network",
  icon: GatewayOutlined,
  nested: true,
  list: { command: "listPrivateGateways", key: "privategateway" },
  tagged: "PrivateGateway",
  title: (row) => String(row.ipaddress),
  columns: [
    { name: "ipaddress" },
    column.state,
    { name: "gateway" },
    { name: "netmask" },
    { name: "vlan" },
    { name: "sourcenatsupported", kind: "boolean" },
    column.vpc,
    { name: "aclname", link: { resource: "networkacllist", id: "aclid" } },
  ],
  tabs: [{ name: "staticRoutes", resource: "staticroute", parameters: (row) => ({ gatewayid: row.id }) }],
  actions: [
    create("createPrivateGateway", [
      "vpcid",
      "physicalnetworkid",
      "vlan",
      "ipaddress",
      "gateway",
      "netmask",
      "sourcenatsupported",
      { name: "aclid", resource: "networkacllist" },
    ]),
    {
      command: "replaceNetworkACLList",
      icon: SafetyOutlined,
      on: "row",
      target: "gatewayid",
      without: ["networkid"],
      form: [
        {
          name: "aclid",
          resource: "networkacllist",
          filter: (_, row) => ({ vpcid: String(row?.vpcid ?? "") }),
        },
      ],
    },
    remove("deletePrivateGateway"),
  ],
};

const staticRoute: Resource = {
  name: "staticroute",
  section: "network",
  icon: NodeIndexOutlined,
  nested: true,
  list: { command: "listStaticRoutes", key: "staticroute" },
  tagged: "StaticRoute",
  title: (row) => String(row.cidr),
  columns: [
    { name: "cidr" },
    column.state,
    { name: "nexthop" },
    { name: "vpcgatewayip", link: { resource: "privategateway", id: "vpcgatewayid" } },
    column.tags,
  ],
  actions: [
    create("createStaticRoute", [
      "cidr",
      { name: "gatewayid", resource: "privategateway" },
      "vpcid",
      "nexthop",
    ]),
    remove("deleteStaticRoute"),
  ],
};

const vpnGateway: Resource = {
  name: "vpngateway",
  section: "network",
  icon: CloudServerOutlined,
  nested: true,
  list: { command: "listVpnGateways", key: "vpngateway" },
  tagged: "VpnGateway",
  title: (row) => String(row.publicip),
  columns: [{ name: "publicip" }, column.vpc, ...column.owner],
  tabs: [
    {
      name: "vpnConnections",
      resource: "vpnconnection",
      parameters: (row) => ({ vpcid: String(row.vpcid) }),
    },
  ],
  actions: [
    create("createVpnGateway", ["vpcid", "ipaddressid"]),
    update("updateVpnGateway", ["fordisplay"]),
    remove("deleteVpnGateway"),
  ],
};

const vpnConnection: Resource = {
  name: "vpnconnection",
  section: "network",
  icon: SyncOutlined,
  list: { command: "listVpnConnections", key: "vpnconnection" },
  owned: true,
  tagged: "VpnConnection",
  title: (row) => `${String(row.publicip)} - ${String(row.gateway)}`,
  columns: [
    { name: "publicip", link: { resource: "vpngateway", id: "s2svpngatewayid" } },
    { name: "gateway", link: { resource: "vpncustomergateway", id: "s2scustomergatewayid" } },
    column.state,
    { name: "cidrlist" },
    { name: "passive", kind: "boolean" },
    column.created,
    ...column.owner,
    ...column.hidden({ name: "ikepolicy" }, { name: "esppolicy" }, { name: "ikeversion" }),
  ],
  filters: [{ name: "vpcid" }],
  actions: [
    create("createVpnConnection", [
      { name: "s2svpngatewayid", resource: "vpngateway" },
      { name: "s2scustomergatewayid", resource: "vpncustomergateway" },
      "passive",
    ]),
    update("updateVpnConnection", ["fordisplay"]),
    { command: "resetVpnConnection", icon: SyncOutlined, on: "row", bulk: true },
    remove("deleteVpnConnection"),
  ],
};

const CUSTOMER_GATEWAY: FormField[] = [
  { name: "name" },
  { name: "gateway" },
  { name: "cidrlist" },
  { name: "ipsecpsk", secret: true },
  { name: "ikeversion", values: ["ike", "ikev1", "ikev2"] },
  { name: "ikepolicy", initial: (row) => String(row?.ikepolicy ?? "aes256-sha256;modp2048") },
  { name: "esppolicy", initial: (row) => String(row?.esppolicy ?? "aes256-sha256") },
  { name: "ikelifetime" },
  { name: "esplifetime" },
  { name: "dpd" },
  { name: "forceencap" },
  { name: "splitconnections" },
];

const customerGateway: Resource = {
  name: "vpncustomergateway",
  section: "network",
  icon: LockOutlined,
  commented: "VPN_CUSTOMER_GATEWAY",
  list: { command: "listVpnCustomerGateways", key: "vpncustomergateway" },
  owned: true,
  tagged: "VpnCustomerGateway",
  columns: [
    column.name,
    { name: "gateway" },
    { name: "cidrlist" },
    { name: "ikepolicy" },
    { name: "esppolicy" },
    ...column.owner,
    ...column.hidden({ name: "ikeversion" }, { name: "dpd", kind: "boolean" }),
  ],
  actions: [
    create("createVpnCustomerGateway", CUSTOMER_GATEWAY),
    update("updateVpnCustomerGateway", CUSTOMER_GATEWAY),
    remove("deleteVpnCustomerGateway"),
  ],
};

const remoteAccessVpn: Resource = {
  name: "remoteaccessvpn",
  section: "network",
  icon: UserSwitchOutlined,
  nested: true,
  list: { command: "listRemoteAccessVpns", key: "remoteaccessvpn" },
  title: (row) => String(row.publicip),
  columns: [
    { name: "publicip", link: { resource: "publicip", id: "publicipid" } },
    column.state,
    { name: "iprange" },
    { name: "presharedkey", kind: "secret" },
    ...column.owner,
  ],
  actions: [
    create("createRemoteAccessVpn", ["publicipid", "iprange", "openfirewall"]),
    update("updateRemoteAccessVpn", ["fordisplay"]),
    remove("deleteRemoteAccessVpn", { target: "publicipid", targetValue: (row) => String(row.publicipid) }),
  ],
};

const vpnUser: Resource = {
  name: "vpnuser",
  section: "network",
  icon: UserOutlined,
  list: { command: "listVpnUsers", key: "vpnuser" },
  owned: true,
  title: (row) => String(row.username),
  columns: [{ name: "username" }, column.state, ...column.owner],
  actions: [
    create("addVpnUser", ["username", { name: "password", secret: true }]),
    remove("removeVpnUser", {
      target: "username",
      targetValue: (row) => String(row.username),
      fixed: (row) =>
        row?.projectid
          ? { projectid: String(row.projectid) }
          : { account: String(row?.account ?? ""), domainid: String(row?.domainid ?? "") },
    }),
  ],
};

const resources: Resource[] = [
  privateGateway,
  staticRoute,
  vpnGateway,
  vpnConnection,
  customerGateway,
  remoteAccessVpn,
  vpnUser,
];
export default resources;
