package transport

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// errStorage is the words of an error that says what a storage answered.
var errStorage = errors.New("the storage refused the link")

// The codes in the XML of a storage's errors (Google Cloud Storage, Amazon S3 and what
// is like them) that say why. Others are not printed: an error's text may hold the link.
var (
	expiredCodes = []string{
		"ExpiredToken", "AccessDenied", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "InvalidArgument",
		"InvalidSecurity", "AuthenticationRequired", "TokenRefreshRequired", "InvalidToken", "AuthorizationQueryParametersError",
	}
	goneCodes = []string{"NoSuchKey", "NoSuchBucket", "NoSuchVersion", "BlobNotFound"}
)

// refusal makes the error of an answer that is not the file.
func (d *download) refusal(status int, head []byte) *Error {
	code := storageCode(head)
	kind := KindExpired // a fresh link may be taken
	switch {
	case slices.Contains(goneCodes, code), status == http.StatusNotFound, status == http.StatusGone:
		kind = KindGone
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		kind = KindConnection
	case status == http.StatusOK, status >= 400:
	default:
		return d.fail(KindConnection, "the storage answered %d, which is not a file", status)
	}
	said := fmt.Sprintf("%d", status)
	if code != "" {
		said += " " + code
	} else if isMarkup(head) {
		said += ", a page in place of a file"
	}
	return d.fail(kind, "%w (%s)", errStorage, said)
}

// storageCode gives the code of an error in XML, if it is one that is known.
func storageCode(head []byte) string {
	_, rest, ok := bytes.Cut(head, []byte("<Code>"))
	code, _, closed := bytes.Cut(rest, []byte("</Code>"))
	if !ok || !closed {
		return ""
	}
	for _, known := range [][]string{expiredCodes, goneCodes} {
		if i := slices.Index(known, string(bytes.TrimSpace(code))); i >= 0 {
			return known[i]
		}
	}
	return ""
}

// isMarkup reports whether a file begins as HTML or XML does, and no table.
func isMarkup(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	return bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("<"))
}

// checkFileRedirect decides whether a download follows a redirect. A download carries
// no credentials that could be lost on the way, but its link is one.
func checkFileRedirect(r *http.Request, via []*http.Request) error {
	r.Header.Del("Referer")
	switch last := via[len(via)-1]; {
	case len(via) > maxRedirects:
		return &redirectError{fmt.Sprintf("redirected more than %d times", maxRedirects)}
	case last.URL.Scheme == "https" && r.URL.Scheme != "https":
		return &redirectError{"redirected from https to " + schemeOf(r.URL)}
	}
	return nil
}
