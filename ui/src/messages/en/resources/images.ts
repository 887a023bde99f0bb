// Templates and ISOs: names of the resources and their actions.
export default {
  plural: {
    template: "Templates",
    iso: "ISOs",
  },
  singular: {
    template: "Template",
    iso: "ISO",
  },
  actions: {
    registerTemplate: "Register template",
    getUploadParamsForTemplate: "Upload template",
    updateTemplate: "Edit template",
    updateTemplatePermissions: "Share template",
    listTemplatePermissions: "Show permissions",
    copyTemplate: "Copy to other zones",
    extractTemplate: "Download template",
    deleteTemplate: "Delete template",
    registerIso: "Register ISO",
    getUploadParamsForIso: "Upload ISO",
    updateIso: "Edit ISO",
    updateIsoPermissions: "Share ISO",
    listIsoPermissions: "Show permissions",
    attachIso: "Attach ISO",
    detachIso: "Detach ISO",
    copyIso: "Copy to other zones",
    extractIso: "Download ISO",
    deleteIso: "Delete ISO",
  },
};
