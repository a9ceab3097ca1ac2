// The link that the service says at its first start carries the token behind `#`, which no browser sends anywhere.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const field = document.getElementById("token");
if (token) history.replaceState(null, "", location.pathname + location.search);
if (token && field) field.value = token;
