"""IMUTwinTrans in PyTorch, and the file that holds a trained one."""

from face_recon_node.network.face_network import FaceNetwork, FacePrediction, Statistics
from face_recon_node.network.imu_twin_trans import IMUTwinTrans, NetworkConfig

__all__ = ["FaceNetwork", "FacePrediction", "IMUTwinTrans", "NetworkConfig", "Statistics"]
