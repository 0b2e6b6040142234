"""Creates a certificate for the host names of a replica at start; nothing on the machine trusts it by default."""
import subprocess

DAYS = 2


def make_certificate(folder, hosts):
    """Writes cert.pem and key.pem to the folder; the certificate can serve as its own trusted authority."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    names = ",".join([*(f"DNS:{host}" for host in hosts), "IP:127.0.0.1"])
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", str(DAYS), "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=replica",
                    "-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:TRUE"],
                   check=True, capture_output=True)
    return certificate, key
