// Extensions and their custom actions: names of the resources, their actions, tabs and fields.
export default {
  plural: {
    extension: "Extensions",
    customaction: "Custom actions",
  },
  singular: {
    extension: "Extension",
    customaction: "Custom action",
  },
  tabs: {
    customActions: "Custom actions",
    parameters: "Parameters",
  },
  actions: {
    createExtension: "Create extension",
    updateExtension: "Edit extension",
    registerExtension: "Register with a cluster",
    unregisterExtension: "Undo a registration",
    deleteExtension: "Delete extension",
    registerExternalTemplate: "Register a template",
    addCustomAction: "Add custom action",
    updateCustomAction: "Edit custom action",
    deleteCustomAction: "Delete custom action",
    runCustomAction: "Run a custom action",
  },
  fields: {
    allowedroletypes: "Who may run it",
    cleanupdetails: "Remove all details",
    cleanupparameters: "Remove all parameters",
    customactionid: "Custom action",
    errormessage: "Message of a failure",
    extensionid: "Extension",
    extensionname: "Extension",
    externaldetails: "Details for the extension",
    orchestratorrequirespreparevm: "Asked before an instance starts",
    pathready: "Program ready",
    successmessage: "Message of a success",
    validationformat: "Format",
    valueoptions: "Only values",
  },
};
