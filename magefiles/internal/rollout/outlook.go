package rollout

import (
	"regexp"
	"strings"
)

// The outlook of most problems can only be told from the words of whoever failed: container runtimes, storage drivers,
// network plugins and admission webhooks have no codes that reach a pod's status. What is quoted, and addresses, are
// left out of them first: a name may hold any word.
var (
	quoted = regexp.MustCompile(`"[^"]*"|https?://\S+`)

	// disturbance is what an outage, a load limit or a bad line sounds like, whatever they disturb.
	disturbance = anyOf(
		`connection reset`, `broken pipe`, `\bEOF\b`, `i/o timeout`, `handshake timeout`, `deadline ?exceeded`, `timed out`, `request canceled`, `context canceled`,
		`connection lost`, `GOAWAY`, `stream error`, `network is unreachable`, `server misbehaving`, `temporary failure in name resolution`,
		`too ?many ?requests`, `rate limit`, `\b429\b`, `status[^0-9]{0,9}50[0234]\b`, `internal server error`, `bad gateway`, `service unavailable`, `gateway time-?out`,
		`leader changed`, `object has been modified`, `code = (unavailable|aborted)\b`)

	// Of pulls. containerd loses contents that it cleans away while another pull brings them.
	pullMends = anyOf(`pull QPS exceeded`, `registry is unavailable`, `content digest \S+ not found`)
	pullStuck = anyOf(`not found`, `(manifest|name) unknown`, `does not exist`, `denied`, `unauthorized`, `authentication required`, `no basic auth`, `403 forbidden`,
		`no match for platform`, `no matching manifest`, `no image found in`, `HTTP response to HTTPS client`)

	// Of pods without a network: its plugin starts, or addresses come free.
	sandboxMends = anyOf(`connection refused`, `not (yet )?initialized`, `is reserved for`, `assign an IP`, `no IP addresses available`, `subnet\.env`, `node container is running`)
	sandboxStuck = anyOf(`no runtime for`, `RuntimeHandler`)

	// Of volumes: they are elsewhere still, or their driver starts.
	volumeMends = anyOf(`Multi-Attach`, `exclusively attached`, `operation.* already exists`, `list of registered CSI drivers`, `resource busy`, `connection refused`)
	volumeStuck = anyOf(`(configmap|secret|persistentvolumeclaim|class\S*)\s+not found`, `non-existent (secret|config)`, `no storage class is set`, `type check failed`)

	// Of containers that are made: an attempt that was given up is still at it.
	startMends = anyOf(`is reserved for`)

	// Of pods that the API server does not take. Words of a webhook that denies a pod are final, whatever they are.
	webhookAway   = anyOf(`failed calling webhook`, `failed to call webhook`)
	webhookMends  = anyOf(`connection refused`, `no endpoints available`)
	webhookUnsure = anyOf(`x509`, `certificate`)
	denied        = anyOf(`denied the request`)
	countMends    = anyOf(`status unknown for quota`)

	// Of readiness probes: the service says itself that it is not ready yet, or is too busy to say.
	probeUnsure = anyOf(`statuscode: 503`, `statuscode: 429`)
)

// anyOf is an expression for any of some.
func anyOf(some ...string) *regexp.Regexp {
	return regexp.MustCompile("(?i)" + strings.Join(some, "|"))
}

// foresee tells the outlook of a problem from what was said of it. What goes by counts first: of several registries,
// one may not know an image and another may not have answered.
func foresee(message string, mending, hopeless *regexp.Regexp, otherwise outlook) outlook {
	said := quoted.ReplaceAllString(message, "")
	switch {
	case disturbance.MatchString(said) || mending != nil && mending.MatchString(said):
		return mends
	case hopeless != nil && hopeless.MatchString(said):
		return stuck
	}
	return otherwise
}

// foreseeRefusal is foresee for a pod that the API server does not take.
func foreseeRefusal(message string) outlook {
	said := quoted.ReplaceAllString(message, "")
	switch {
	case denied.MatchString(said):
		return stuck
	case !webhookAway.MatchString(said):
		return foresee(message, countMends, nil, stuck)
	case webhookUnsure.MatchString(said):
		return unsure
	}
	return foresee(message, webhookMends, nil, stuck)
}

// foreseeReadiness is foresee for a service that has started and is not ready.
func foreseeReadiness(message string) outlook {
	if foresee(message, probeUnsure, nil, stuck) == mends {
		return unsure
	}
	return stuck
}
