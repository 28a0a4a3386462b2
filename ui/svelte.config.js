// Runes everywhere; styles in files, so that the content security policy needs no exception.
export default { compilerOptions: { runes: true } };
