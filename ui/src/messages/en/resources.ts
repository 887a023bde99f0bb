// Resources: what they are called, their tabs and actions. Fields are named by their own words where nothing is here.
export default {
  plural: {},
  singular: {},
  tabs: {},
  actions: {},
  fields: {},
};
