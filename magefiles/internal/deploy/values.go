package deploy

import (
	"strings"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/secrets"
)

// values are what the chart is given: image names, settings, and what the cluster has.
func values(cfg *config.Config, made Application, secret secrets.Outcome, access cluster.Access) map[string]any {
	v := settings(cfg, secret)
	if access.IngressClass != "" {
		v["ingress"].(map[string]any)["className"] = access.IngressClass
	}
	for _, s := range inCluster(cfg) {
		of := entry(v, s.Entry()...)
		of["image"] = appImage(made[s.Name])
		if cfg.Context() == "" && s.Folder != "" {
			// Nobody else's cluster: the chart's limits, below one core, would only make starts take twice as long and
			// requests wait. What it reserves would leave no room on two cores for a new version beside one that
			// drains.
			of["resources"] = map[string]any{"limits": map[string]any{"cpu": "2"}, "requests": map[string]any{"cpu": "100m"}}
		}
	}
	// In somebody else's cluster whoever deploys may have no right to give rights.
	v["aiAccess"] = map[string]any{"enabled": cfg.Context() == ""}
	return v
}

// entry is the map at the end of a path in values, which is made where it is not there.
func entry(v map[string]any, path ...string) map[string]any {
	for _, name := range path {
		if v[name] == nil {
			v[name] = map[string]any{}
		}
		v = v[name].(map[string]any)
	}
	return v
}

// settings are the chart's values that follow from the configuration. Secrets are not among them; the chart gets the
// name of theirs.
func settings(cfg *config.Config, secret secrets.Outcome) map[string]any {
	ingress := map[string]any{"host": cfg.Host}
	if name := secrets.ForIngress(cfg); name != "" {
		ingress["tls"] = map[string]any{"enabled": true, "secretName": name}
	}
	if cfg.TLS == config.TLSSelfSigned {
		// An ingress controller would send everyone to HTTPS, on a port that need not be the one here, and into a
		// browser's warning.
		ingress["annotations"] = map[string]any{"nginx.ingress.kubernetes.io/ssl-redirect": "false"}
	}
	return map[string]any{
		"namespace":       cfg.Namespace,
		app.Frontend.Name: map[string]any{"apiUrl": cfg.PublicAPIURL},
		app.Postgres.Name: map[string]any{"enabled": cfg.DatabaseURL == ""},
		"config": map[string]any{
			"logLevel": cfg.LogLevel, "environment": cfg.Environment,
			"openaiBaseUrl": cfg.OpenAIBaseURL, "openaiModel": cfg.OpenAIModel,
		},
		"ingress":       ingress,
		"networkPolicy": map[string]any{"mailPort": cfg.MailPort()},
		"secrets":       map[string]any{"existingSecret": secret.Name, "checksum": secret.Checksum},
	}
}

// appImage names one of the application's images as its chart takes it.
func appImage(ref string) map[string]any {
	v := imageValues(ref)
	v["pullPolicy"] = string(pullPolicy(ref))
	return v
}

// imageValues splits an image's name into the values that the charts take.
func imageValues(ref string) map[string]any {
	name, digest, _ := strings.Cut(ref, "@")
	tag := ""
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name, tag = name[:i], name[i+1:]
	}
	return map[string]any{"repository": name, "tag": tag, "digest": digest}
}
