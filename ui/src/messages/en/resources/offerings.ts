// Offerings of every kind: names of the resources and their actions.
export default {
  plural: {
    serviceoffering: "Compute offerings",
    systemoffering: "System offerings",
    diskoffering: "Disk offerings",
    networkoffering: "Network offerings",
    vpcoffering: "VPC offerings",
    networkservice: "Network services",
  },
  singular: {
    serviceoffering: "Compute offering",
    systemoffering: "System offering",
    diskoffering: "Disk offering",
    networkoffering: "Network offering",
    vpcoffering: "VPC offering",
    networkservice: "Network service",
  },
  actions: {
    createServiceOffering: "Create compute offering",
    createSystemOffering: "Create system offering",
    updateServiceOffering: "Edit offering",
    deleteServiceOffering: "Delete offering",
    createDiskOffering: "Create disk offering",
    updateDiskOffering: "Edit offering",
    deleteDiskOffering: "Delete offering",
    createNetworkOffering: "Create network offering",
    updateNetworkOffering: "Edit offering",
    deleteNetworkOffering: "Delete offering",
    createVPCOffering: "Create VPC offering",
    updateVPCOffering: "Edit offering",
    deleteVPCOffering: "Delete offering",
  },
};
